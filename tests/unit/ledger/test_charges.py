"""What requests count for in budgets over time, whatever became of them."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from services.core import errors
from services.ledger.schema import MIGRATIONS
from services.ledger.sqlite import open_ledger
from tests.unit.ledger.entries import NOON, ended, failed, intent, spent

HOUR_S = 3600


def reserved(request_id, usd, *, second=0, caller="a"):
    manifest = intent(request_id, second=second)
    manifest.reserved_usd, manifest.caller = usd, caller
    return manifest


async def charged(ledger, since=NOON):
    return {
        (charge.caller, (charge.started - NOON).total_seconds()): charge.usd
        for charge in await ledger.charges(since)
    }


async def test_a_request_that_runs_counts_for_all_that_it_reserved(ledger):
    await ledger.begin(reserved("r1", 0.5), fingerprint="f")

    assert {("a", 0): 0.5} == await charged(ledger)


async def test_one_that_ended_counts_for_what_it_spent(ledger):
    manifest = reserved("r1", 0.5)
    await ledger.begin(manifest, fingerprint="f")
    await ledger.finish(ended(manifest))

    assert {("a", 0): 0.25} == await charged(ledger)


async def test_one_that_failed_counts_for_what_it_spent(ledger):
    manifest = reserved("r1", 0.5)
    await ledger.begin(manifest, fingerprint="f")
    lost = failed(manifest)
    lost.cost_usd = 0.125
    await ledger.fail(lost)

    assert {("a", 0): 0.125} == await charged(ledger)


async def test_one_that_was_interrupted_counts_for_all_that_it_reserved(path):
    async with open_ledger(path) as ledger:
        await ledger.begin(reserved("r1", 0.5), fingerprint="f")
    async with open_ledger(path) as again:
        assert {("a", 0): 0.5} == await charged(again)
        with pytest.raises(errors.InterruptedRequestError):
            await again.recorded("r1", fingerprint="f")


async def test_one_that_was_interrupted_counts_for_what_it_told_where_nothing_was_reserved(path):
    async with open_ledger(path) as ledger:
        await ledger.begin(reserved("r1", 0.0), fingerprint="f")
        ledger.spent(spent(reserved("r1", 0.0)))
    async with open_ledger(path) as again:
        assert {("a", 0): 0.75} == await charged(again)


async def test_charges_add_up_by_caller_and_hour(ledger):
    for nth, (second, caller) in enumerate(
        [(0, "a"), (HOUR_S - 1, "a"), (HOUR_S, "a"), (0, "b"), (-1, "a")]
    ):
        manifest = reserved(f"r{nth}", 0.5, second=second, caller=caller)
        await ledger.begin(manifest, fingerprint="f")

    assert {("a", 0): 1.0, ("a", HOUR_S): 0.5, ("b", 0): 0.5} == await charged(ledger)


async def test_what_began_before_does_not_count(ledger):
    await ledger.begin(reserved("r1", 0.5), fingerprint="f")

    assert {} == await charged(ledger, NOON + timedelta(hours=1))


@pytest.mark.parametrize(("cost", "usd"), [(float("nan"), 0.0), (float("inf"), 2.0**62 / 1e6)])
async def test_whatever_a_provider_says_is_a_charge(ledger, cost, usd):
    reply = ended(intent())
    reply.manifest.cost_usd = cost
    await ledger.begin(intent(), fingerprint="f")
    await ledger.finish(reply)

    assert {("", 0): usd} == await charged(ledger)


async def test_requests_of_an_older_file_count_for_what_they_cost(path):
    with closing(sqlite3.connect(path)) as older:
        older.executescript(
            f"{MIGRATIONS[0]} PRAGMA application_id = 0x4772656D; PRAGMA user_version = 1;"
        )
        older.execute(
            "INSERT INTO manifests VALUES ('r1', 'f', 'trio', 2, 1, ?, 250000, x'', x'', NULL)",
            (int(NOON.timestamp()) * 10**9,),
        )
        older.commit()

    async with open_ledger(path) as ledger:
        assert {("", 0): 0.25} == await charged(ledger)


class TestRecorded:
    async def test_a_reply_is_told_again(self, ledger):
        await ledger.begin(intent(), fingerprint="f")
        await ledger.finish(ended(intent()))

        assert (await ledger.recorded("r1", fingerprint="f")).replayed

    async def test_nothing_of_a_request_that_is_new(self, ledger):
        assert await ledger.recorded("r1", fingerprint="f") is None

    async def test_one_that_a_shared_budget_refused_starts_anew(self, ledger):
        refused = failed(
            intent(),
            reason="BUDGET_SPENT",
            metadata={"period_ends": "2026-04-01T00:00:00Z"},
            model_calls=0,
        )
        await ledger.begin(intent(), fingerprint="f")
        await ledger.fail(refused)

        assert await ledger.recorded("r1", fingerprint="f") is None
