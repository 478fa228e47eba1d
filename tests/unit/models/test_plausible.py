"""A count that cannot be counts as what was reserved; any other as the provider told it."""

import logging

import pytest

from services.config.tree import Model
from services.core.answers import Usage
from services.core.prompts import Image, Message, Prompt
from services.models.plausible import plausible
from services.models.pricing import estimated_input
from tests.unit.models.rosters import ModelRequest, asking, request
from tests.upstream import Reply

SPEC = Model(backend="openai", model="m", family="f", timeout_s=1, max_output_tokens=100)
ESTIMATED = estimated_input(request()).input_tokens
PRICE = {"input_usd_per_mtok": 1e6, "output_usd_per_mtok": 1e6}


@pytest.mark.parametrize("usage", [Usage(ESTIMATED, 0, 100, 100), Usage(4 * ESTIMATED, 3, 1)])
def test_what_can_be_is_believed(usage):
    assert (usage, "") == plausible(usage, request(), SPEC)


def test_more_input_than_the_prompt_has_counts_as_our_estimate():
    usage, doubt = plausible(Usage(100_000, 90_000, 5), request(), SPEC)

    assert Usage(ESTIMATED, ESTIMATED, 5) == usage
    assert doubt.startswith("its provider counted 100000 input tokens of at most ")


def test_more_output_than_was_allowed_counts_as_all_that_was():
    usage, doubt = plausible(Usage(ESTIMATED, 0, 101, 101), request(), SPEC)

    assert Usage(ESTIMATED, 0, 100, 100) == usage
    assert "its provider counted 101 output tokens of at most 100" == doubt


def test_nobody_reads_more_than_the_context_holds():
    narrow = SPEC.model_copy(update={"context_tokens": 50})

    assert "51 input tokens of at most 50" in plausible(Usage(51, 0, 1), request(), narrow)[1]


def test_an_image_may_be_counted_many_times_as_dear():
    seen = ModelRequest(Prompt((Message("user", ("?", Image(url="https://a/b.png"))),)))
    wide = SPEC.model_copy(update={"context_tokens": 128_000})

    assert not plausible(Usage(40_000, 0, 1), seen, wide)[1]


def test_a_recording_is_believed():
    recorded = SPEC.model_copy(update={"backend": "recorded"})

    assert (Usage(10**6, 0, 10**6), "") == plausible(Usage(10**6, 0, 10**6), request(), recorded)


async def test_a_lie_is_logged_and_costs_what_was_reserved(caplog):
    usage = {"prompt_tokens": ESTIMATED, "completion_tokens": 90_000, "total_tokens": 0}
    script = {"m": Reply(usage=usage)}
    async with asking(script, price=PRICE, max_output_tokens=82) as (_, put):
        with caplog.at_level(logging.WARNING):
            asked = await put()

    assert (True, 82, ESTIMATED + 82) == (
        asked.usage_estimated,
        asked.usage.output_tokens,
        asked.cost_usd,
    )
    assert "90000 output tokens of at most 82" in asked.usage_doubt
    assert 1 == sum("usage of model m is estimated" in told.message for told in caplog.records)
