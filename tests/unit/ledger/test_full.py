"""A disk that takes no more is told of at once, and what is to last is recorded once it does."""

import asyncio
import logging
import sqlite3

import pytest

from gremium.v1.manifest_pb2 import MANIFEST_STATE_COMPLETED, MANIFEST_STATE_IN_PROGRESS
from services.core.errors import LedgerError, RequestInProgressError
from services.ledger import writer as writing
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.runtime import figures
from tests.figures import measuring, points
from tests.unit.ledger.disks import full
from tests.unit.ledger.entries import ended, failed, intent

LARGE = 100_000
"""More than a file that is full has room for."""
LIMIT_S = 5.0


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr(writing, "RETRY_S", 0.02)


async def until(condition):
    deadline = asyncio.get_running_loop().time() + LIMIT_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def state(ledger, name="r1"):
    return (await ledger.manifest(name)).state


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda ledger: ledger.finish(ended(intent(), text="x" * LARGE)), id="reply"),
        pytest.param(lambda ledger: ledger.fail(failed(intent(), message="x" * LARGE)), id="error"),
    ],
)
async def test_an_end_that_the_disk_refuses_is_told_so_at_once_and_recorded_later(ledger, end):
    await ledger.begin(intent(), fingerprint="f")
    with full(ledger):
        async with asyncio.timeout(LIMIT_S):
            with pytest.raises(LedgerError, match="is full; it is kept until the disk takes it"):
                await end(ledger)
        assert MANIFEST_STATE_IN_PROGRESS == await state(ledger)

    await until(lambda: not ledger.trouble)
    assert MANIFEST_STATE_IN_PROGRESS != await state(ledger)


async def test_its_caller_asks_again_until_it_is_recorded(ledger):
    await ledger.begin(intent(), fingerprint="f")
    with full(ledger):
        with pytest.raises(LedgerError):
            await ledger.finish(ended(intent(), text="x" * LARGE))
        with pytest.raises(RequestInProgressError):
            await ledger.recorded("r1", fingerprint="f")

    await until(lambda: not ledger.trouble)
    assert (await ledger.recorded("r1", fingerprint="f")).replayed


async def test_there_is_trouble_until_the_disk_takes_something_though_nobody_asks(ledger, caplog):
    caplog.set_level(logging.INFO, "services.ledger")
    assert "" == ledger.trouble
    with full(ledger), pytest.raises(LedgerError, match="full"):
        await ledger.begin(intent(ensemble="x" * LARGE), fingerprint="f")

    await until(lambda: not ledger.trouble)
    failure, success = (each.getMessage() for each in caplog.records)
    assert failure.endswith(" records not committed: database or disk is full")
    assert success.startswith("records are committed again, after ")


async def test_monitoring_is_told_of_it(path):
    with measuring():
        async with open_ledger(path) as ledger:
            assert [0.0] == [value for _, value in points(figures.LEDGER_FAILING)]
            with full(ledger), pytest.raises(LedgerError, match="full"):
                await ledger.begin(intent(ensemble="x" * LARGE), fingerprint="f")
            assert [1.0] == [value for _, value in points(figures.LEDGER_FAILING)]


async def test_relaxed_there_is_trouble_once_no_more_can_wait(path):
    async with open_ledger(path, Terms(mode="relaxed", most_queued=2)) as ledger:
        with full(ledger):
            for name in ("r1", "r2"):
                assert "" == ledger.trouble
                await ledger.begin(intent(name), fingerprint="f")
                await ledger.finish(ended(intent(name), text="x" * LARGE))
            await until(lambda: "full" in ledger.trouble)

    async with open_ledger(path) as ledger:
        assert MANIFEST_STATE_COMPLETED == await state(ledger, "r2")


async def test_a_ledger_in_trouble_with_nothing_to_keep_ends_at_once(path):
    async with open_ledger(path, busy_s=0.01) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked"):
            await ledger.begin(intent(), fingerprint="f")
        async with asyncio.timeout(LIMIT_S):
            assert await ledger.close(within_s=4 * LIMIT_S)
        other.close()
