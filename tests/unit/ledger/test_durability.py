"""What was committed survives, and what cannot be committed is an error for its caller."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gremium.v1 import ledger_pb2, manifest_pb2
from services.core.errors import InterruptedRequestError, LedgerError
from services.ledger import chain
from services.ledger.reading import reading
from services.ledger.schema import MIGRATIONS
from services.ledger.sqlite import open_ledger
from tests.unit.ledger.entries import ended, intent

ROOT = Path(__file__).resolve().parents[3]

CHILD = """
import asyncio, sys
from pathlib import Path
from services.ledger.sqlite import open_ledger
from tests.unit.ledger.entries import ended, intent, spent

async def main():
    async with open_ledger(Path(sys.argv[1])) as ledger:
        await ledger.begin(intent("done"), fingerprint="f")
        await ledger.finish(ended(intent("done")))
        await ledger.begin(intent("open"), fingerprint="f")
        ledger.spent(spent(intent("open")))
        await ledger.begin(intent("other"), fingerprint="f")
        print("begun", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""

FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from services.core.errors import LedgerError
from services.ledger.sqlite import open_ledger
from tests.unit.ledger.entries import ended, intent

async def main():
    async with open_ledger(Path(sys.argv[1])) as ledger:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        began = 0
        try:
            while began < 1000:
                await ledger.begin(intent(f"r{began}", ensemble="e" * 4096), fingerprint="f")
                began += 1
        except LedgerError as err:
            print(err)
        try:
            await ledger.finish(ended(intent("r0"), text="x" * 9000))
        except LedgerError as err:
            print(err, bool(ledger.trouble))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        while ledger.trouble:
            await asyncio.sleep(0.01)
        await ledger.begin(intent("after"), fingerprint="f")
        kept = [await ledger.manifest(f"r{n}") for n in range(began)]
        print(0 < len(kept) < 1000, kept[0].outcome)

asyncio.run(main())
"""


RELAXED = """
import asyncio, resource, sys
from pathlib import Path
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from tests.unit.ledger.entries import ended, intent

async def main():
    async with open_ledger(Path(sys.argv[1]), Terms(mode="relaxed")) as ledger:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        for n in range(100):
            begun = intent(f"r{n}", ensemble="e" * 4096)
            await ledger.begin(begun, fingerprint="f")
            await ledger.finish(ended(begun))
            await asyncio.sleep(0)
        await asyncio.sleep(0.5)
        print(len(ledger._queued) > 0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

asyncio.run(main())
"""


def child(script, path):
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}"},
    )


@pytest.fixture
def owner(path):
    """Another process that has the ledger open, with one request done and one running."""
    with child(CHILD, path) as process:
        assert "begun\n" == process.stdout.readline()
        yield process
        process.kill()


async def test_a_killed_process_leaves_its_request_interrupted(path, owner):
    owner.send_signal(signal.SIGKILL)
    owner.wait(10)

    async with open_ledger(path) as ledger:
        left, done = await ledger.manifest("open"), await ledger.manifest("done")
        with pytest.raises(InterruptedRequestError):
            await ledger.begin(intent("open"), fingerprint="f")

    assert manifest_pb2.MANIFEST_STATE_FAILED == left.state
    assert ("ABORTED", "INTERRUPTED") == (left.error.code, left.error.reason)
    assert ended(intent("done")).manifest == done


async def test_a_killed_process_leaves_what_its_request_had_spent(path, owner):
    owner.send_signal(signal.SIGKILL)
    owner.wait(10)

    async with open_ledger(path) as ledger:
        left = await ledger.manifest("open")

    answered, asked = left.participations
    assert (0.75, 3) == (left.cost_usd, left.model_calls)
    assert (20, 10) == (left.usage.input_tokens, left.usage.output_tokens)
    assert (manifest_pb2.PARTICIPATION_STATUS_ANSWERED, "") == (answered.status, answered.reason)
    assert (manifest_pb2.PARTICIPATION_STATUS_FAILED, "INTERRUPTED") == (asked.status, asked.reason)


async def test_each_request_of_a_killed_process_ends_once(path, owner):
    owner.send_signal(signal.SIGKILL)
    owner.wait(10)

    for _ in range(2):
        async with open_ledger(path):
            pass

    with reading(path) as connection:
        records = list(chain.records(connection))
    assert {ledger_pb2.RECORD_KIND_END} == {record.kind for record in records}
    assert ["done", "open", "other"] == [record.request_id for record in records]


async def test_a_second_process_is_told_who_has_the_ledger(path, owner):
    with pytest.raises(LedgerError, match=f"{path.name} is in use by process {owner.pid}"):
        async with open_ledger(path):
            pass


async def test_the_same_process_opens_it_once(path):
    async with open_ledger(path):
        with pytest.raises(LedgerError, match="in use"):
            async with open_ledger(path):
                pass


async def test_a_ledger_can_be_opened_again_after_its_end(path):
    for _ in range(2):
        async with open_ledger(path):
            pass


def test_a_full_disk_fails_the_request_and_loses_nothing(path):
    with child(FULL_DISK, path) as process:
        out, _ = process.communicate(timeout=60)

    refused, kept, after = out.splitlines()
    assert refused.startswith("the ledger failed: ")
    assert kept.startswith("the end of the request is not on disk: ")
    assert kept.endswith("True")
    assert f"True {manifest_pb2.OUTCOME_ANSWERED}" == after


def test_a_full_disk_in_relaxed_mode_loses_nothing_once_there_is_room(path):
    with child(RELAXED, path) as process:
        out, _ = process.communicate(timeout=60)

    with reading(path) as connection:
        ended_ones = [record.request_id for record in chain.records(connection)]
    assert ("True\n", [f"r{n}" for n in range(100)]) == (out, ended_ones)


async def test_a_file_held_by_another_program_fails_the_request(path):
    async with open_ledger(path, busy_s=0.1) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked"):
            await ledger.begin(intent(), fingerprint="f")
        other.close()

        assert await ledger.begin(intent(), fingerprint="f") is None


async def test_reading_goes_on_while_another_program_writes(path):
    async with open_ledger(path, busy_s=0.1) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        assert intent() == await ledger.manifest("r1")
        other.close()


@pytest.mark.parametrize("inside", ["file/ledger.sqlite", "folder"])
async def test_a_path_that_cannot_be_used_is_named(tmp_path, inside):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()

    with pytest.raises(LedgerError, match=f"cannot open ledger {tmp_path / inside}: "):
        async with open_ledger(tmp_path / inside):
            pass


async def test_an_error_inside_the_block_stays_what_it_is(path):
    with pytest.raises(OSError, match="the caller's"):
        async with open_ledger(path):
            raise OSError("the caller's")


async def test_a_file_that_is_no_database_is_refused(path):
    path.write_text("just some text, long enough to be no header of SQLite" * 100)

    with pytest.raises(LedgerError, match="not a database"):
        async with open_ledger(path):
            pass


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        pytest.param("CREATE TABLE bills (id)", "no ledger's", id="another program's"),
        pytest.param(
            f"PRAGMA application_id = 0x4772656D; PRAGMA user_version = {len(MIGRATIONS) + 1}",
            "this release knows up to",
            id="a newer release's",
        ),
    ],
)
async def test_a_foreign_file_is_refused_and_left_alone(path, script, problem):
    other = sqlite3.connect(path)
    other.executescript(script)
    other.close()
    before = path.read_bytes()

    with pytest.raises(LedgerError, match=problem):
        async with open_ledger(path):
            pass

    assert before == path.read_bytes()


async def test_the_file_is_durable_and_private(path):
    async with open_ledger(path) as ledger:
        connection = ledger._writer._connection
        assert ("wal",) == connection.execute("PRAGMA journal_mode").fetchone()
        assert (2,) == connection.execute("PRAGMA synchronous").fetchone()

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


async def test_the_folder_is_made(tmp_path):
    path = tmp_path / "a" / "b" / "ledger.sqlite"
    async with open_ledger(path):
        await asyncio.sleep(0)

    assert path.exists()
