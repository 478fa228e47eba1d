"""Whoever can write to a ledger's file, but has neither its key nor its checkpoints, is found out."""

import shutil
import sqlite3

import pytest

from gremium.v1 import ensemble_pb2
from gremium.v1.ledger_pb2 import RECORD_KIND_END, RECORD_KIND_TOMBSTONE, Tombstone
from services.core.errors import LedgerError
from services.ledger import reading
from services.ledger.chain import append, record_at
from services.ledger.checkpoint import Checkpoint
from services.ledger.signing import make_key, verifier_of
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.ledger.texts import Texts
from services.ledger.verify import Proofs, verify
from tests.unit.ledger.chains import NOON_NS, add, change, opened
from tests.unit.ledger.entries import ended, intent


@pytest.fixture
def signer(tmp_path):
    return make_key(tmp_path / "key.pem")


@pytest.fixture
def key(tmp_path, signer):
    return verifier_of(tmp_path / "key.pem")


@pytest.fixture
def five(path, signer):
    """A ledger of five signed records."""
    add(path, "r1", "r2", "r3", "r4", "r5", signer=signer)
    return path


def fault(path, *keys, checkpoints=None):
    found = verify(path, Proofs(keys, checkpoints)).fault
    return found and (found.sequence, found.problem)


def checkpoint(path, count):
    with opened(path) as connection:
        head = record_at(connection, count).hash
    return Checkpoint(verify(path, Proofs()).chain_id, count, head, f"2026-03-0{count}")


def forged(path, kind, payload, *, request_id=""):
    """Append a record as the gateway does, but for the signature."""
    with opened(path) as connection:
        append(
            connection,
            kind,
            request_id=request_id,
            payload=payload,
            time_ns=NOON_NS,
            signer=None,
        )


def test_a_forged_tombstone_is_not_vouched_for_by_what_is_signed_after_it(five, signer, key):
    with opened(five) as connection:
        second = record_at(connection, 2)
    stone = Tombstone(count=2, last_sequence=2, last_hash=second.hash)
    forged(five, RECORD_KIND_TOMBSTONE, stone.SerializeToString())
    add(five, "r6", signer=signer)
    change(five, "DELETE FROM records WHERE seq <= 2")
    change(five, "DELETE FROM manifests WHERE seq <= 2")

    assert (6, "record 6 is not signed, though one before it is") == fault(five, key)


def test_a_record_that_is_told_twice_is_not_either(five, signer, key):
    with opened(five) as connection:
        third = record_at(connection, 3)
    forged(five, RECORD_KIND_END, third.payload, request_id="r3")
    add(five, "r6", signer=signer)

    assert 6 == fault(five, key)[0]


def test_what_grew_again_after_it_was_cut_is_found_where_a_checkpoint_was_taken(five, signer, key):
    known = checkpoint(five, 5)
    change(five, "DELETE FROM records WHERE seq > 3")
    change(five, "DELETE FROM manifests WHERE seq > 3")
    add(five, "r4", "r6", "r7", signer=signer)

    assert fault(five, key) is None
    assert 5 == fault(five, key, checkpoints=[known])[0]


def test_a_checkpoint_hides_none_before_it_that_contradicts_it(five, key):
    true = checkpoint(five, 3)
    other = Checkpoint(true.chain_id, 3, bytes(32), "2026-03-04")

    for known in ([other, true], [true, other]):
        assert "contradict each other" in fault(five, key, checkpoints=known)[1]


def test_a_request_that_ended_does_not_run_again(five, key):
    change(five, "UPDATE manifests SET state = 1, seq = NULL WHERE request_id = 'r3'")

    assert (3, "the list of requests shows r3 as running, which has ended") == fault(five, key)


def test_a_kind_that_no_record_can_have_is_a_change(five, key):
    change(five, "UPDATE records SET kind = ? WHERE seq = 3", 2**40)

    assert (3, "record 3 was changed") == fault(five, key)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            "CREATE TRIGGER t BEFORE INSERT ON records WHEN NEW.request_id = 'r6'"
            " BEGIN SELECT RAISE(IGNORE); END",
            id="swallows records",
        ),
        pytest.param(
            "ALTER TABLE records RENAME TO r; CREATE VIEW records AS SELECT * FROM r WHERE seq < 3",
            id="hides records",
        ),
    ],
)
async def test_what_changes_records_unseen_is_refused(five, key, script):
    with sqlite3.connect(five) as connection:
        connection.executescript(script)
    connection.close()

    with pytest.raises(LedgerError, match="which no ledger has"):
        verify(five, Proofs([key]))
    with pytest.raises(LedgerError, match="which no ledger has"):
        async with open_ledger(five):
            pass


def other_answer(reply):
    reply.manifest.answers[0].text = "Rome"


def other_given(reply):
    reply.answer.text = "Rome"


def other_cost(reply):
    reply.manifest.cost_usd = 0.0


@pytest.mark.parametrize("forge", [other_answer, other_given, other_cost])
@pytest.mark.parametrize("kept", ["nothing", "answers", "all"])
async def test_a_reply_that_is_told_again_is_the_one_that_was_recorded(
    path, signer, key, kept, forge
):
    async with open_ledger(path, Terms(signer=signer, texts=Texts(kept))) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.finish(ended(intent()))
    assert fault(path, key) is None
    with opened(path) as connection:
        (told,) = connection.execute("SELECT reply FROM replies").fetchone()
        reply = ensemble_pb2.AskResponse.FromString(told)
        forge(reply)
        connection.execute("UPDATE replies SET reply = ?", (reply.SerializeToString(),))

    problem = "the kept reply of request r1 is not the one of its record"
    assert (1, problem) == fault(path, key)


async def test_a_reply_may_give_what_was_put_together(path, signer, key):
    reply = ended(intent())
    reply.answer.text = "Paris, Texas"
    reply.manifest.tallies.add().spliced.add(pointer="/a")
    async with open_ledger(path, Terms(signer=signer)) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.finish(reply)

    assert fault(path, key) is None


async def test_a_ledger_has_one_owner_by_whatever_name_it_is_opened(path, tmp_path):
    other = tmp_path / "elsewhere" / "other.sqlite"
    other.parent.mkdir()
    async with open_ledger(path):
        other.symlink_to(path)
        with pytest.raises(LedgerError, match="in use"):
            async with open_ledger(other):
                pass


async def test_a_copy_without_its_log_lacks_what_a_checkpoint_knows(path, tmp_path, signer, key):
    copy = tmp_path / "copy.sqlite"
    async with open_ledger(path, Terms(signer=signer)) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.finish(ended(intent()))
        ledger._scrub()
        await ledger.begin(intent("r2"), fingerprint="f")
        await ledger.finish(ended(intent("r2")))
        shutil.copy(path, copy)
        known = checkpoint(path, 2)

    assert fault(copy, key) is None
    assert (2, f"record 2 is missing: the checkpoint of {known.time} knows 2 records") == fault(
        copy, key, checkpoints=[known]
    )


async def test_a_copy_can_be_read_where_nothing_can_be_written(path, signer, key):
    async with open_ledger(path, Terms(signer=signer)) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.finish(ended(intent()))
    path.with_name(f"{path.name}-shm").mkdir()  # so that SQLite cannot make that file

    assert fault(path, key) is None
    path.with_name(f"{path.name}-wal").write_bytes(b"records that are not in the file yet")
    assert reading._has_log(path)


def test_a_clock_that_was_put_back_is_no_fault(five, signer, key):
    add(five, "r6", signer=signer, time_ns=NOON_NS - 10**18)

    assert fault(five, key) is None
