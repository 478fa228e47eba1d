"""Records that wait share a COMMIT, and nobody is told before it."""

import asyncio
import sqlite3
import threading

import pytest

from services.core.errors import LedgerError
from services.ledger import writer as writing
from services.ledger.sqlite import open_ledger
from services.ledger.writer import GROUP, Writer
from tests.unit.ledger.entries import intent


@pytest.fixture
def file(tmp_path):
    return tmp_path / "rows.sqlite"


@pytest.fixture
def statements():
    return []


@pytest.fixture
def writer(file, statements):
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE rows (value INTEGER NOT NULL)")
    connection.set_trace_callback(statements.append)
    opened = Writer(connection)
    yield opened
    opened.close(timeout_s=5)


def add(value):
    return lambda connection: connection.execute("INSERT INTO rows VALUES (?)", (value,)).lastrowid


def rows(file):
    connection = sqlite3.connect(file)
    found = [value for (value,) in connection.execute("SELECT value FROM rows ORDER BY value")]
    connection.close()
    return found


def held(writer):
    """Keeps the writer busy until the event is set, so that jobs pile up behind it."""
    busy, release = threading.Event(), threading.Event()
    writer.submit(lambda _: [busy.set(), release.wait(5)])
    busy.wait(5)
    return release


def test_waiting_jobs_share_a_commit(writer, statements):
    release = held(writer)
    futures = [writer.submit(add(n)) for n in range(2 * GROUP)]
    release.set()
    for future in futures:
        future.result(5)

    assert statements.count("COMMIT") <= 4


def test_a_job_is_done_only_after_commit(writer, file):
    seen = []
    future = writer.submit(add(7))
    future.add_done_callback(lambda _: seen.extend(rows(file)))
    future.result(5)
    writer.close(timeout_s=5)

    assert [7] == seen


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(add(None), id="refused by SQLite"),
        pytest.param(lambda c: [add(99)(c), 1 / 0], id="a bug halfway"),
    ],
)
def test_a_broken_job_harms_no_other(writer, file, broken):
    release = held(writer)
    before, fails, after = writer.submit(add(1)), writer.submit(broken), writer.submit(add(2))
    release.set()

    assert isinstance(fails.exception(5), (sqlite3.Error, ZeroDivisionError))
    assert (before.result(5), after.result(5)) == (1, 2)
    assert [1, 2] == rows(file)


def test_a_group_that_cannot_commit_fails_as_a_whole(writer, file):
    release = held(writer)
    lost = [
        writer.submit(add(1)),
        writer.submit(lambda connection: connection.execute("ROLLBACK")),
        writer.submit(add(2)),
    ]
    release.set()

    assert all(isinstance(future.exception(5), sqlite3.Error) for future in lost)
    assert 1 == writer.submit(add(3)).result(5)
    assert [3] == rows(file)


def test_a_job_that_was_cancelled_in_time_never_runs(writer, file):
    release = held(writer)
    writer.submit(add(1))
    unwanted = writer.submit(add(2))
    unwanted.cancel()
    release.set()
    writer.close(timeout_s=5)

    assert [1] == rows(file)


def test_a_patient_job_shares_the_commit_of_one_that_comes_soon(writer, statements, monkeypatch):
    monkeypatch.setattr(writing, "PATIENCE_S", 30.0)
    patient = writer.submit(add(1), patient=True)
    urgent = writer.submit(add(2))

    assert (1, 2) == (patient.result(5), urgent.result(5))
    assert 1 == statements.count("COMMIT")


def test_a_patient_job_is_done_though_no_other_comes(writer):
    assert 1 == writer.submit(add(1), patient=True).result(5)


@pytest.fixture
def other(file):
    """Another program that holds the file."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    yield connection
    connection.close()


def test_a_lasting_job_is_tried_until_it_is_committed(writer, file, other, monkeypatch):
    monkeypatch.setattr(writing, "RETRY_S", 0.01)
    writer.submit(lambda connection: connection.execute("PRAGMA busy_timeout = 10")).result(5)
    other.execute("BEGIN IMMEDIATE")
    kept = [writer.submit(add(n), lasting=True) for n in range(2 * GROUP)]
    lost = writer.submit(add(-1))
    assert isinstance(lost.exception(5), sqlite3.OperationalError)
    assert not any(future.done() for future in kept)

    other.execute("ROLLBACK")
    for future in kept:
        future.result(5)

    assert list(range(2 * GROUP)) == rows(file)


def test_another_programs_hold_on_the_file_is_no_trouble_with_the_disk(writer, monkeypatch):
    monkeypatch.setattr(writing, "RETRY_S", 0.01)
    tries = []

    def work(_):
        tries.append(1)
        if len(tries) == 1:
            held_by_other = sqlite3.OperationalError("database is locked")
            held_by_other.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
            raise held_by_other
        return "done"

    assert "done" == writer.submit(work, lasting=True).result(5)


def test_a_lasting_job_that_can_never_be_done_is_not_tried_again(writer):
    broken = writer.submit(lambda connection: connection.execute("no SQL"), lasting=True)

    assert isinstance(broken.exception(5), sqlite3.OperationalError)


def test_a_lasting_job_that_cannot_be_done_in_time_is_told_so_at_the_end(writer, other):
    writer.submit(lambda connection: connection.execute("PRAGMA busy_timeout = 10")).result(5)
    other.execute("BEGIN IMMEDIATE")
    kept = writer.submit(add(1), lasting=True)

    writer.close(timeout_s=0.1)
    assert isinstance(kept.exception(5), sqlite3.OperationalError)


def test_closing_commits_what_waits(writer, file):
    release = held(writer)
    for n in range(100):
        writer.submit(add(n))
    release.set()

    assert writer.close(timeout_s=5)
    assert list(range(100)) == rows(file)


def test_a_closed_writer_takes_no_jobs(writer):
    writer.close(timeout_s=5)

    with pytest.raises(sqlite3.ProgrammingError):
        writer.submit(add(1))


async def test_two_hundred_concurrent_begins_take_few_commits(ledger):
    statements = []
    ledger._writer._connection.set_trace_callback(statements.append)
    begins = (ledger.begin(intent(f"r{n}"), fingerprint="f") for n in range(200))

    ends = await asyncio.gather(*begins)

    assert [None] * 200 == ends
    assert statements.count("COMMIT") <= 20


async def test_the_end_of_the_ledger_flushes(path):
    async with open_ledger(path) as ledger:
        begins = [
            asyncio.create_task(ledger.begin(intent(f"r{n}"), fingerprint="f")) for n in range(50)
        ]
        await asyncio.sleep(0)

    assert [None] * 50 == await asyncio.gather(*begins)


async def test_a_closed_ledger_says_so(path):
    async with open_ledger(path) as ledger:
        pass

    with pytest.raises(LedgerError, match="closed"):
        await ledger.begin(intent(), fingerprint="f")
