"""A shadow begins when its call has ended, one or two at a time, and leaves a record of its end."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, shadow_pb2, types_pb2
from gremium.v1.ledger_pb2 import RECORD_KIND_SHADOW
from services.config.tree import Price
from services.core.errors import LedgerError
from services.gateway.accounts import Accounts
from services.gateway.shadow import AT_ONCE, Shadows, is_busy, shadow_budgets
from services.runtime import figures
from services.runtime.admission import Admission
from tests.cases import case, tier
from tests.fakes import ScriptedMesh
from tests.figures import figure, measuring

REPLY = ensemble_pb2.AskResponse(
    outcome=manifest_pb2.OUTCOME_ANSWERED,
    answer=types_pb2.Answer(text="yes", tier="large"),
    manifest=manifest_pb2.Manifest(chosen_tier="large"),
)
SHADOW = {"share": 1.0, "max_usd_per_day": 1.0}
PRICE = Price(input_usd_per_mtok=10.0, output_usd_per_mtok=10.0)
BEGUN = shadow_pb2.SHADOW_VERDICT_UNSPECIFIED


def labelled():
    """A request that is answered by a label, to an ensemble with a shadow."""
    asked = case(tier("small"), tier("large"), shadow=SHADOW, judge=None)
    asked.asked.prompt.output_format.labels.labels.extend(["yes", "no"])
    priced = {
        name: model.model_copy(update={"price": PRICE}) for name, model in asked.models.items()
    }
    return replace(asked, models=priced)


class Books:
    """Keeps records, or fails."""

    def __init__(self, *, failing: bool = False) -> None:
        self.records: list[shadow_pb2.ShadowRecord] = []
        self._failing = failing

    async def append(self, kind: int, request_id: str, payload: bytes) -> None:
        if self._failing:
            raise LedgerError("the disk is full")
        record = shadow_pb2.ShadowRecord.FromString(payload)
        assert (RECORD_KIND_SHADOW, record.request_id) == (kind, request_id)
        self.records.append(record)

    @property
    def ends(self) -> list[str]:
        """How each has ended."""
        name = shadow_pb2.ShadowVerdict.Name
        ended = (each.verdict for each in self.records if each.verdict != BEGUN)
        return [name(verdict).removeprefix("SHADOW_VERDICT_") for verdict in ended]


class Call:
    """A call that ends when the test says so."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Call], None]] = []
        self._left = False

    def add_done_callback(self, callback: Callable[["Call"], None], /) -> None:
        self._callbacks.append(callback)

    def cancelled(self) -> bool:
        return self._left

    def end(self, *, left: bool = False) -> None:
        self._left = left
        for callback in self._callbacks:
            callback(self)


def shadows(mesh, books):
    asked = labelled()
    accounts = Accounts(shadow_budgets({"main": asked.ensemble}))
    return Shadows(mesh, books, accounts, np.random.default_rng(0))


async def until(seen):
    async with asyncio.timeout(2):
        while True:
            if seen():
                return
            await asyncio.sleep(0)


async def quiet(shadowing):
    """Nothing runs any more."""
    await until(lambda: not shadowing.running)


def asked_of(shadowing, *, slots=()):
    call = Call()
    shadowing.after(call, labelled(), REPLY, slots=slots)
    return call


async def test_nobody_is_asked_before_the_call_has_ended():
    mesh, books = ScriptedMesh({"small": ["yes"]}), Books()
    shadowing = shadows(mesh, books)
    call = asked_of(shadowing)
    await asyncio.sleep(0.01)
    before = list(mesh.asked)

    call.end()
    await quiet(shadowing)

    assert ([], ["small"]) == (before, mesh.asked)
    assert [BEGUN] == [each.verdict for each in books.records[:-1]]


async def test_who_left_has_no_shadow():
    mesh = ScriptedMesh({"small": ["yes"]})
    shadowing = shadows(mesh, Books())

    asked_of(shadowing).end(left=True)
    await quiet(shadowing)

    assert [] == mesh.asked


async def test_a_gateway_that_stops_begins_none_and_records_what_it_breaks_off():
    mesh, books = ScriptedMesh({"small": ["yes"]}, hangs=True), Books()
    shadowing = shadows(mesh, books)
    asked_of(shadowing).end()
    await until(lambda: mesh.asked)
    held = held_usd(shadowing)

    await shadowing.stop()
    asked_of(shadowing).end()

    assert (["BROKEN_OFF"], ["small"]) == (books.ends, mesh.asked)
    assert (held, 0.0) == (pytest.approx(books.records[0].reserved_usd), held_usd(shadowing))
    assert 0.0 < books.records[-1].shadow_cost_usd <= held


async def test_few_run_at_once():
    mesh = ScriptedMesh({"small": ["yes"]}, hangs=True)
    shadowing = shadows(mesh, Books())

    for _ in range(AT_ONCE + 3):
        asked_of(shadowing).end()
    await until(lambda: len(mesh.asked) >= AT_ONCE)
    await asyncio.sleep(0.01)
    asked = len(mesh.asked)
    await shadowing.stop()

    assert AT_ONCE == asked


async def test_a_busy_gateway_begins_none():
    mesh, slots = ScriptedMesh({"small": ["yes"]}), Admission(4)
    shadowing = shadows(mesh, Books())

    with measuring(), slots.slot("a"), slots.slot("b"):
        asked_of(shadowing, slots=[slots]).end()
        left_out = figure(figures.SHADOWS, verdict="NOT_ASKED")
    await quiet(shadowing)

    assert ([], 1) == (mesh.asked, left_out)


@pytest.mark.parametrize(("slots", "taken", "busy"), [(1, 0, False), (1, 1, True), (8, 3, False)])
def test_half_of_the_slots_are_much_to_do(slots, taken, busy):
    assert busy == is_busy([Admission(8), Admission(slots, taken)])


async def test_nobody_is_asked_whose_beginning_cannot_be_recorded(caplog):
    mesh = ScriptedMesh({"small": ["yes"]})
    shadowing = shadows(mesh, Books(failing=True))

    asked_of(shadowing).end()
    await quiet(shadowing)

    assert ([], 0.0) == (mesh.asked, held_usd(shadowing))
    assert "a shadow failed" in caplog.text


async def test_a_bug_is_logged_and_recorded_without_its_text(caplog):
    mesh, books = ScriptedMesh({"small": ["yes"]}), Books()
    mesh.deliberate = lambda *_, **__: 1 / 0
    shadowing = shadows(mesh, books)

    asked_of(shadowing).end()
    await quiet(shadowing)

    assert (["BROKEN_OFF"], "INTERNAL") == (books.ends, books.records[-1].reason)
    assert "division by zero" in caplog.text
    assert "division" not in books.records[-1].reason_text


def held_usd(shadowing):
    return sum(account.held_usd for account in shadowing.states(datetime.now(UTC)))
