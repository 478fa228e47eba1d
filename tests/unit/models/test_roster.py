"""The roster opens every model of the configuration and says what is missing."""

import sys

import pytest

from services.core.answers import Status
from services.core.deadline import Deadline
from services.core.errors import UnknownModelError
from services.models.asking import ask
from tests.unit.models.rosters import request, roster_of


async def test_an_unknown_model_is_an_error_that_names_the_known():
    async with roster_of({"a": {"model": "x"}, "b": {"model": "y"}}) as roster:
        with pytest.raises(UnknownModelError, match="a, b"):
            roster.get("c")


async def test_a_local_model_without_an_engine_says_so():
    async with roster_of({"m": {"backend": "local", "model": "smollm2-135m"}}) as roster:
        asked = await ask(roster.get("m"), request(), deadline=Deadline.after(5), timeout_s=5)

    assert (Status.FAILED, "CONNECTION", 0) == (asked.status, asked.reason, asked.model_calls)
    assert "gremium up" in asked.reason_text


async def test_opening_a_roster_does_not_load_the_engine():
    async with roster_of({"m": {"backend": "local", "model": "smollm2-135m"}}):
        assert "xllamacpp" not in sys.modules
