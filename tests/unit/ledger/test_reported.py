"""Whoever counts requests gets those that ended, with the newest feedback, by time, ensemble and label."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from gremium.v1 import manifest_pb2, shadow_pb2
from gremium.v1.ledger_pb2 import RECORD_KIND_SHADOW
from services.core.errors import LedgerError
from services.ledger import reading
from services.ledger.reported import Which, ended, latest_labelled, shadows
from tests.unit.ledger.entries import NOON, failed, intent
from tests.unit.ledger.entries import ended as reply_to

NOON_NS = int(NOON.timestamp()) * 10**9


async def record(ledger, request_id, **how):
    begun = intent(request_id, **how)
    await ledger.begin(begun, fingerprint="f")
    await ledger.finish(reply_to(begun))


async def found(path, **which):
    """Read on another thread, as the command does it in another process."""
    return await asyncio.to_thread(lambda: [m.request_id for m in ended(path, Which(**which))])


async def test_what_has_not_ended_is_left_out(ledger, path):
    await ledger.begin(intent("open"), fingerprint="f")
    await record(ledger, "done")

    assert ["done"] == await found(path)


async def test_a_failure_is_an_end(ledger, path):
    begun = intent("gone")
    await ledger.begin(begun, fingerprint="f")
    await ledger.fail(failed(begun))

    assert ["gone"] == await found(path)


async def test_requests_come_oldest_first_from_a_time_on(ledger, path):
    await record(ledger, "late", second=20)
    await record(ledger, "early", second=0)
    await record(ledger, "between", second=10)

    assert ["early", "between", "late"] == await found(path)
    assert ["between", "late"] == await found(path, since_ns=NOON_NS + 10 * 10**9)


async def test_only_ensembles_that_are_asked_for_are_told(ledger, path):
    await record(ledger, "a", ensemble="one")
    await record(ledger, "b", ensemble="two")
    await record(ledger, "c", ensemble="three")

    assert ["a", "c"] == await found(path, ensembles=("one", "three"))


async def test_only_requests_with_all_labels_are_told(ledger, path):
    await record(ledger, "a")

    assert ["a"] == await found(path, labels={"team": "blue"})
    assert [] == await found(path, labels={"team": "red"})
    assert [] == await found(path, labels={"team": "blue", "stage": "test"})


async def test_the_newest_feedback_counts(ledger, path):
    await record(ledger, "a")
    for score in (0.0, 1.0):
        await ledger.add_feedback("a", manifest_pb2.Feedback(score=score))

    (manifest,) = await asyncio.to_thread(lambda: list(ended(path, Which())))

    assert [1.0] == [each.score for each in manifest.feedback]


async def add_shadow(ledger, request_id, verdict):
    record = shadow_pb2.ShadowRecord(request_id=request_id, ensemble="trio", verdict=verdict)
    await ledger.append(RECORD_KIND_SHADOW, request_id, record.SerializeToString())


async def test_of_the_records_of_a_shadow_the_last_one_counts(ledger, path):
    await record(ledger, "a")
    await add_shadow(ledger, "a", shadow_pb2.SHADOW_VERDICT_UNSPECIFIED)
    await add_shadow(ledger, "a", shadow_pb2.SHADOW_VERDICT_EQUAL)

    (shadow,) = await asyncio.to_thread(lambda: list(shadows(path, Which())))

    assert shadow_pb2.SHADOW_VERDICT_EQUAL == shadow.verdict


async def test_shadows_are_those_of_the_requests_asked_for(ledger, path):
    await record(ledger, "a", second=0)
    await record(ledger, "b", second=20)
    for name in ("a", "b"):
        await add_shadow(ledger, name, shadow_pb2.SHADOW_VERDICT_EQUAL)

    later = Which(since_ns=NOON_NS + 10 * 10**9)

    told = await asyncio.to_thread(lambda: [s.request_id for s in shadows(path, later)])
    assert ["b"] == told


def test_a_missing_ledger_is_named(path):
    with pytest.raises(LedgerError, match=f"there is no ledger {path}"):
        list(ended(path, Which()))


def newest(path, *, after=0, most=10):
    return asyncio.to_thread(lambda: latest_labelled(path, after=after, most=most))


async def test_requests_that_got_feedback_last_come_first(ledger, path):
    for name in ("a", "b", "c"):
        await record(ledger, name)
    for name, score in (("a", 0.0), ("b", 1.0), ("a", 1.0)):
        await ledger.add_feedback(name, manifest_pb2.Feedback(score=score))

    found = await newest(path)

    told = [(m.request_id, [each.score for each in m.feedback]) for m in found.manifests]
    assert [("a", [1.0]), ("b", [1.0])] == told
    assert ["a"] == [m.request_id for m in (await newest(path, most=1)).manifests]


async def test_without_new_feedback_nothing_is_read(ledger, path):
    await record(ledger, "a")
    assert ((), 0) == ((await newest(path)).manifests, (await newest(path)).last)

    await ledger.add_feedback("a", manifest_pb2.Feedback(score=1.0))
    last = (await newest(path)).last

    assert last > 0
    assert () == (await newest(path, after=last)).manifests


@pytest.fixture
def pages_of_two(monkeypatch):
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)


@pytest.mark.usefixtures("pages_of_two")
@pytest.mark.parametrize("many", [0, 1, 2, 3, 4, 5])
async def test_pages_leave_out_nobody_and_tell_nobody_twice(ledger, path, many):
    for i in range(many):
        await record(ledger, f"r-{i}", second=i // 2)

    assert [f"r-{i}" for i in range(many)] == await found(path)


@pytest.mark.usefixtures("pages_of_two")
async def test_a_page_is_of_the_ensembles_that_are_asked_for(ledger, path):
    for i in range(9):
        await record(ledger, f"r-{i}", ensemble="even" if i % 2 == 0 else "odd")

    assert [f"r-{i}" for i in range(0, 9, 2)] == await found(path, ensembles=("even",))


async def test_large_records_fill_a_page_alone(ledger, path, monkeypatch):
    monkeypatch.setattr(reading, "PAGE_BYTES", 1)
    for i in range(3):
        await record(ledger, f"r-{i}", second=i)

    assert ["r-0", "r-1", "r-2"] == await found(path)


def emptied(path):
    """Whether the journal could be moved into the file as a whole."""
    with closing(sqlite3.connect(path, timeout=0.05)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return busy == 0


@pytest.mark.usefixtures("pages_of_two")
async def test_whoever_takes_his_time_keeps_nothing_in_the_journal(ledger, path):
    for i in range(5):
        await record(ledger, f"r-{i}", second=i)

    def slow():
        rows = ended(path, Which())
        return next(rows).request_id, emptied(path), len(list(rows))

    assert ("r-0", True, 4) == await asyncio.to_thread(slow)
