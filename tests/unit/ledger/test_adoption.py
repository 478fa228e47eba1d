"""A file of an earlier version becomes a chain, and goes on being what it was."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from gremium.v1 import ensemble_pb2, ledger_pb2, manifest_pb2
from services.core import errors
from services.ledger import chain
from services.ledger.chain import START
from services.ledger.labelled import labelled
from services.ledger.reading import reading
from services.ledger.routed import answered
from services.ledger.schema import APPLICATION_ID, MIGRATIONS
from services.ledger.signing import make_key, verifier_of
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.runtime.wire import timestamp_to_wire
from tests.unit.ledger.entries import NOON, ended, failed, intent

NOW = datetime.now(UTC).replace(microsecond=0)
WITHOUT_CHAIN = 2
"""Version of the last release without one."""


def recent(name):
    begun = intent(name)
    begun.start_time.CopyFrom(timestamp_to_wire(NOW))
    return begun


def row(manifest, reply=None):
    """As the earlier release wrote it."""
    summary = manifest_pb2.Manifest()
    summary.CopyFrom(manifest)
    summary.ClearField("answers")
    rest = ensemble_pb2.AskResponse()
    rest.CopyFrom(reply or rest)
    rest.ClearField("manifest")
    return (
        manifest.request_id,
        "f",
        manifest.ensemble,
        manifest.state,
        manifest.outcome,
        manifest.start_time.ToNanoseconds(),
        round(manifest.cost_usd * 1e6),
        summary.SerializeToString(),
        manifest_pb2.Manifest(answers=manifest.answers).SerializeToString(),
        rest.SerializeToString() if reply else None,
        manifest.caller,
        manifest.cost_usd,
    )


REPLY = ended(recent("new"))
OLD = ended(intent("old"))
FAILED = failed(recent("failed"))
OPEN = recent("open")
SAID = manifest_pb2.Feedback(score=1.0, source="a", submit_time=timestamp_to_wire(NOW))


@pytest.fixture
def earlier(path):
    """A ledger that the earlier release left, with a request that was never ended."""
    with closing(sqlite3.connect(path)) as file:
        for number, script in enumerate(MIGRATIONS[:WITHOUT_CHAIN], start=1):
            file.executescript(f"{script} PRAGMA user_version = {number};")
        file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        rows = [row(OLD.manifest, OLD), row(REPLY.manifest, REPLY), row(FAILED), row(OPEN)]
        places = ", ".join("?" * len(rows[0]))
        file.executemany(f"INSERT INTO manifests VALUES ({places})", rows)  # noqa: S608 - marks
        said = ("new", SAID.SerializeToString())
        file.execute("INSERT INTO feedback (request_id, feedback) VALUES (?, ?)", said)
        file.commit()
    return path


@pytest.fixture
async def ledger(earlier, tmp_path):
    async with open_ledger(earlier, Terms(signer=make_key(tmp_path / "key.pem"))) as opened:
        yield opened


async def test_what_had_ended_stands_in_the_chain_in_its_order(ledger, earlier, tmp_path):
    verifier = verifier_of(tmp_path / "key.pem")
    with reading(earlier) as connection:
        chain_id, records = chain.chain_id_of(connection), list(chain.records(connection))

    previous = START
    for nth, record in enumerate(records, start=1):
        assert "" == chain.problem_of(record, chain_id, seq=nth, previous=previous)
        assert "" == verifier.problem_of(record.signature, record.hash)
        previous = record.hash
    assert ["old", "failed", "new", "new", "open"] == [record.request_id for record in records]
    assert ledger_pb2.RECORD_KIND_FEEDBACK == records[3].kind
    assert int(NOON.timestamp()) * 10**9 == records[0].time_ns


async def test_manifests_are_read_as_they_were_recorded(ledger):
    told = REPLY.manifest
    told.feedback.append(SAID)

    assert told == await ledger.manifest("new")
    assert OLD.manifest == await ledger.manifest("old")
    assert FAILED == await ledger.manifest("failed")
    assert "INTERRUPTED" == (await ledger.manifest("open")).error.reason
    told.feedback.pop()


async def test_a_late_reply_is_told_again(ledger):
    again = await ledger.recorded("new", fingerprint="f")

    assert (REPLY.answer, True) == (again.answer, again.replayed)


async def test_one_of_long_ago_is_not(ledger):
    with pytest.raises(errors.ReplyExpiredError):
        await ledger.recorded("old", fingerprint="f")


async def test_a_failure_is_told_again_whenever_it_was(ledger):
    with pytest.raises(errors.QuorumNotReachedError, match="1 of 2 answered"):
        await ledger.recorded("failed", fingerprint="f")


async def test_what_was_spent_still_counts(ledger):
    charges = await ledger.charges(NOW)

    assert pytest.approx(0.25) == sum(charge.usd for charge in charges)


async def test_it_can_be_listed_and_learned_from(ledger, earlier):
    page = await ledger.manifests(ensemble_pb2.ListManifestsRequest())

    assert {"old", "new", "failed", "open"} == {each.request_id for each in page.manifests}
    assert ["old", "new"] == [each.request_id for each in answered(earlier)]
    (found,) = labelled(earlier)
    assert ("new", "Paris", 1.0) == (
        found.request_id,
        found.answers[0].text,
        found.feedback[0].score,
    )


async def test_nothing_is_left_twice(ledger, earlier):
    with closing(sqlite3.connect(earlier)) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_schema")}
        columns = {column[1] for column in file.execute("PRAGMA table_info(manifests)")}

    assert "feedback" not in tables
    assert set() == {"answers", "reply"} & columns


async def test_a_second_start_adopts_nothing_again(earlier):
    for _ in range(2):
        async with open_ledger(earlier):
            pass

    with reading(earlier) as connection:
        assert 5 == len(list(chain.records(connection)))


def test_a_reader_of_an_earlier_file_is_told_what_to_do(earlier):
    with pytest.raises(errors.LedgerError, match="it has version 2; a gateway of this release"):
        list(answered(earlier))


async def test_an_adoption_that_breaks_off_changes_nothing(earlier):
    with closing(sqlite3.connect(earlier)) as file:
        file.execute("UPDATE manifests SET manifest = x'ff' WHERE request_id = 'new'")
        file.commit()

    with pytest.raises(errors.LedgerError, match="cannot open ledger"):
        async with open_ledger(earlier):
            pass

    with closing(sqlite3.connect(earlier)) as file:
        assert (WITHOUT_CHAIN,) == file.execute("PRAGMA user_version").fetchone()
        assert (4,) == file.execute("SELECT COUNT(*) FROM manifests").fetchone()
