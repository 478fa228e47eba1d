"""Strict waits for the disk, relaxed for nothing while its queue has room, off leaves nothing."""

import asyncio
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gremium.v1 import ensemble_pb2, ledger_pb2, manifest_pb2
from services.core import errors
from services.ledger import chain, writer
from services.ledger.reading import reading
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from tests.unit.ledger.entries import NOON, ended, failed, intent

RELAXED = Terms(mode="relaxed", most_queued=4)
OFF = Terms(mode="off")


@pytest.fixture
async def ledger(path):
    async with open_ledger(path, RELAXED) as opened:
        yield opened


@contextmanager
def held(ledger):
    """In the block nothing can be committed."""
    busy, release = threading.Event(), threading.Event()
    ledger._writer.submit(lambda _: [busy.set(), release.wait(10)])
    assert busy.wait(5)
    try:
        yield
    finally:
        release.set()


async def whole(ledger, name):
    """A request from its intent to its end; whether it waited for the disk."""
    try:
        async with asyncio.timeout(0.3):
            await ledger.begin(intent(name), fingerprint="f")
            await ledger.finish(ended(intent(name)))
    except TimeoutError:
        return True
    return False


def ends(path):
    with reading(path) as connection:
        return [record.request_id for record in chain.records(connection)]


async def test_a_relaxed_request_waits_for_no_commit(ledger, path):
    with held(ledger):
        assert not await whole(ledger, "r1")
        assert [] == ends(path)

    assert "r1" == (await ledger.manifest("r1")).request_id
    assert ["r1"] == ends(path)


async def test_a_strict_request_does(path):
    async with open_ledger(path) as strict:
        with held(strict):
            assert await whole(strict, "r1")


async def test_a_full_queue_makes_relaxed_requests_wait(ledger):
    with held(ledger):
        assert [False] * 4 == [await whole(ledger, f"r{nth}") for nth in range(4)]
        assert await whole(ledger, "r4")


async def test_a_full_queue_says_what_the_disk_says(path):
    async with open_ledger(path, replace(RELAXED, most_queued=1), busy_s=0.05) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await ledger.begin(intent("r1"), fingerprint="f")
        with pytest.raises(errors.LedgerError, match="locked"):
            await ledger.begin(intent("r2"), fingerprint="f")
        other.close()


async def test_what_is_queued_is_kept_until_the_file_can_be_written(path, monkeypatch):
    monkeypatch.setattr(writer, "RETRY_S", 0.01)
    async with open_ledger(path, RELAXED, busy_s=0.01) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for nth in range(3):
            assert not await whole(ledger, f"r{nth}")
        await asyncio.sleep(0.2)
        assert [] == ends(path)
        other.close()

    assert ["r0", "r1", "r2"] == ends(path)


async def test_what_is_queued_can_be_read_as_if_it_were_there(ledger):
    await whole(ledger, "r1")

    assert ended(intent()).manifest == await ledger.manifest("r1")
    assert (await ledger.recorded("r1", fingerprint="f")).replayed


async def test_a_repeated_request_waits_for_the_first_one(ledger):
    await whole(ledger, "r1")

    assert (await ledger.begin(intent(), fingerprint="f")).replayed
    with pytest.raises(errors.RequestIdReusedError):
        await ledger.recorded("r1", fingerprint="other")


async def test_a_failure_is_queued_too(ledger):
    with held(ledger):
        async with asyncio.timeout(1):
            await ledger.begin(intent(), fingerprint="f")
            await ledger.fail(failed(intent()))

    assert "QUORUM_NOT_REACHED" == (await ledger.manifest("r1")).error.reason


async def test_an_attestation_waits_for_the_record(ledger):
    await whole(ledger, "r1")

    assert 1 == (await ledger.attestation("r1")).sequence


async def test_all_that_is_queued_is_committed_at_the_end(path):
    async with open_ledger(path, RELAXED) as ledger:
        for nth in range(4):
            await whole(ledger, f"r{nth}")

    assert [f"r{nth}" for nth in range(4)] == ends(path)


async def test_relaxed_requests_share_commits(path):
    async with open_ledger(path, replace(RELAXED, most_queued=1000)) as ledger:
        statements = []
        ledger._writer._connection.set_trace_callback(statements.append)
        for nth in range(200):
            await whole(ledger, f"r{nth}")
        await ledger.manifest("r199")

    assert statements.count("COMMIT") <= 40
    assert 200 == len(ends(path))


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("strict", ledger_pb2.LEDGER_MODE_STRICT),
        ("relaxed", ledger_pb2.LEDGER_MODE_RELAXED),
        ("off", ledger_pb2.LEDGER_MODE_OFF),
    ],
)
async def test_a_ledger_says_its_mode(path, mode, told):
    async with open_ledger(path, Terms(mode=mode)) as ledger:
        assert (told, mode != "off") == (ledger.mode, ledger.records)


class TestOff:
    @pytest.fixture
    async def ledger(self, path):
        async with open_ledger(path, OFF) as opened:
            yield opened

    async def test_makes_no_file(self, ledger, path):
        await whole(ledger, "r1")

        assert not path.exists()

    async def test_starts_every_request(self, ledger):
        assert [None, None] == [await ledger.begin(intent(), fingerprint="f") for _ in range(2)]
        assert await ledger.recorded("r1", fingerprint="f") is None

    async def test_takes_what_a_request_tells(self, ledger):
        ledger.spent(intent())
        await ledger.fail(failed(intent()))

        assert 0 == await ledger.forget()

    async def test_knows_of_nothing(self, ledger):
        page = await ledger.manifests(ensemble_pb2.ListManifestsRequest())

        assert (0, [], None) == (
            len(page.manifests),
            await ledger.charges(NOON),
            await ledger.attestation("r1"),
        )

    @pytest.mark.parametrize(
        "call",
        [
            lambda ledger: ledger.manifest("r1"),
            lambda ledger: ledger.add_feedback("r1", manifest_pb2.Feedback()),
            lambda ledger: ledger.append(ledger_pb2.RECORD_KIND_SHADOW, "r1", b""),
        ],
        ids=["manifest", "feedback", "append"],
    )
    async def test_says_that_it_is_off(self, ledger, call):
        with pytest.raises(errors.UnknownRequestError, match="the ledger is off"):
            await call(ledger)
