"""What is old goes, what is needed stays, and a tombstone stands for what went."""

import pytest

from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS
from services.ledger import postgres_mark
from services.ledger.chain import records
from services.ledger.checkpoint import Checkpoint
from services.ledger.retention import BATCH, Keep, bury, clear, latest_tombstone
from services.ledger.signing import make_key, verifier_of
from services.ledger.verify import Proofs, verify
from tests.unit.ledger.chains import DAY_NS, NOON_NS, add, add_feedback, change, count, opened

NOW_NS = NOON_NS + 100 * DAY_NS
KEEP = Keep(since_ns=NOON_NS + DAY_NS, now_ns=NOW_NS)


@pytest.fixture
def signer(tmp_path):
    return make_key(tmp_path / "key.pem")


@pytest.fixture
def mixed(path, signer):
    """Three old records and two young ones."""
    add(path, "old1", "old2", "old3", signer=signer)
    add(path, "new1", "new2", signer=signer, time_ns=NOW_NS)
    return path


def buried(path, keep=KEEP, signer=None):
    with opened(path) as connection:
        return bury(connection, keep=keep, signer=signer)


def cleared(path):
    with opened(path) as connection:
        return clear(connection)


def pruned(path, keep=KEEP, signer=None):
    number = buried(path, keep, signer)
    while cleared(path):
        pass
    return number


def left(path):
    with opened(path) as connection:
        return [each.request_id for each in records(connection)]


def test_what_is_old_goes_and_the_chain_is_right_from_there_on(mixed, tmp_path, signer):
    assert 3 == pruned(mixed, signer=signer)

    found = verify(mixed, Proofs([verifier_of(tmp_path / "key.pem")]))
    assert ["new1", "new2", ""] == left(mixed)
    assert (None, 6, 3, 3) == (found.fault, found.count, found.checked, found.removed)
    assert 2 == count(mixed, "manifests")


def test_the_tombstone_tells_what_went(mixed):
    with opened(mixed) as connection:
        third = list(records(connection))[2]
    pruned(mixed)

    with opened(mixed) as connection:
        stone = latest_tombstone(connection)
    assert (3, 3, third.hash) == (stone.count, stone.last_sequence, stone.last_hash)
    assert stone.reason_text.startswith("recorded before 2026-03-02T12:00:00+00:00")


def test_a_second_tombstone_counts_what_the_first_did(mixed):
    pruned(mixed)
    pruned(mixed, Keep(since_ns=NOW_NS + 1, now_ns=NOW_NS + 1))

    with opened(mixed) as connection:
        assert 6 == latest_tombstone(connection).count
    assert [""] == left(mixed)
    assert verify(mixed, Proofs()).fault is None


def test_without_anything_old_there_is_no_tombstone(path):
    add(path, "r1", time_ns=NOW_NS)

    assert 0 == pruned(path)
    assert ["r1"] == left(path)


def test_an_empty_ledger_has_nothing_to_remove(path):
    add(path)

    assert 0 == pruned(path)


def test_a_record_of_the_very_time_stays(path):
    add(path, "r1", time_ns=KEEP.since_ns)

    assert 0 == pruned(path)


def test_a_second_call_removes_no_more(mixed):
    pruned(mixed)

    assert 0 == pruned(mixed)
    assert ["new1", "new2", ""] == left(mixed)


def test_a_clock_that_was_put_back_ends_it_before_the_first_young_record(path):
    add(path, "r1")
    add(path, "r2", time_ns=NOW_NS)
    add(path, "r3")

    assert 1 == pruned(path)
    assert ["r2", "r3", ""] == left(path)


def test_a_reply_that_can_be_asked_for_again_keeps_its_record_and_what_follows(mixed):
    change(mixed, "INSERT INTO replies VALUES ('old2', x'00', ?)", NOW_NS + 1)

    assert 1 == pruned(mixed)
    assert ["old2", "old3", "new1", "new2", ""] == left(mixed)


def test_a_reply_that_has_expired_keeps_nothing(mixed):
    change(mixed, "INSERT INTO replies VALUES ('old2', x'00', ?)", NOW_NS)

    assert 3 == pruned(mixed)


def test_a_request_that_was_asked_anew_and_runs_keeps_its_record(mixed):
    change(
        mixed,
        "UPDATE manifests SET state = ?, seq = NULL WHERE request_id = 'old3'",
        MANIFEST_STATE_IN_PROGRESS,
    )

    assert 2 == pruned(mixed)
    assert 3 == count(mixed, "manifests")


def test_one_that_is_asked_anew_while_its_end_is_removed_keeps_its_row(mixed):
    buried(mixed)
    change(
        mixed,
        "UPDATE manifests SET state = ?, seq = NULL WHERE request_id = 'old3'",
        MANIFEST_STATE_IN_PROGRESS,
    )
    while cleared(mixed):
        pass

    assert ["new1", "new2", ""] == left(mixed)
    assert 3 == count(mixed, "manifests")


def test_what_postgresql_does_not_have_stays(mixed):
    keep = Keep(KEEP.since_ns, KEEP.now_ns, uncopied=True)
    with opened(mixed) as connection:
        postgres_mark.put(connection, mark=postgres_mark.Mark(seq=2))

    assert 2 == pruned(mixed, keep)


def test_without_a_copy_yet_nothing_goes(mixed):
    assert 0 == pruned(mixed, Keep(KEEP.since_ns, KEEP.now_ns, uncopied=True))


def test_feedback_that_came_later_outlives_what_it_is_of(path):
    add(path, "old1")
    add_feedback(path, "old1", time_ns=NOW_NS)

    assert 1 == pruned(path)
    assert ["old1", ""] == left(path)
    assert verify(path, Proofs()).fault is None


def test_whoever_is_killed_in_between_leaves_a_chain_that_is_right(mixed):
    buried(mixed)

    assert verify(mixed, Proofs()).fault is None
    assert 3 == cleared(mixed)
    assert ["new1", "new2", ""] == left(mixed)


def test_what_a_tombstone_stands_for_needs_no_second_one(mixed):
    buried(mixed)

    assert 0 == buried(mixed)
    assert ["old1", "old2", "old3", "new1", "new2", ""] == left(mixed)


def test_much_is_removed_some_at_a_time(path):
    add(path, *(f"r{n}" for n in range(BATCH + 1)))
    buried(path)

    assert [BATCH, 1, 0] == [cleared(path) for _ in range(3)]


def test_a_start_that_is_gone_beyond_the_tombstone_is_missed(mixed):
    pruned(mixed)
    change(mixed, "DELETE FROM records WHERE seq = 4")

    fault = verify(mixed, Proofs()).fault
    assert (4, "record 4 is missing") == (fault.sequence, fault.problem)


def test_a_tombstone_that_nobody_signed_proves_nothing_to_who_has_a_key(mixed, tmp_path):
    pruned(mixed, signer=None)

    found = verify(mixed, Proofs([verifier_of(tmp_path / "key.pem")]))

    assert 6 == found.fault.sequence


def checkpoint(path, count):
    with opened(path) as connection:
        (chain_id,) = connection.execute("SELECT chain_id FROM chain").fetchone()
        hashes = {each.seq: each.hash for each in records(connection)}
    return Checkpoint(chain_id, count, hashes[count], "2026-03-01T12:00:00+00:00")


def test_checkpoints_of_what_is_gone_need_a_key_or_a_later_one(mixed, tmp_path, signer):
    known = [checkpoint(mixed, 2)]
    pruned(mixed, signer=signer)

    alone = verify(mixed, Proofs(checkpoints=known))
    with_key = verify(mixed, Proofs([verifier_of(tmp_path / "key.pem")], known))
    later = verify(mixed, Proofs(checkpoints=[*known, checkpoint(mixed, 5)]))

    assert "only a key can prove its tombstone" in alone.fault.problem
    assert [None, None] == [with_key.fault, later.fault]
    assert (1, 1) == (with_key.outlived, later.outlived)


def test_a_checkpoint_of_the_last_record_that_went_is_held_against_the_tombstone(mixed):
    known = checkpoint(mixed, 3)
    pruned(mixed)

    found = verify(mixed, Proofs(checkpoints=[known]))
    assert (None, 0) == (found.fault, found.outlived)

    other = Checkpoint(known.chain_id, 3, bytes(32), known.time)
    assert 3 == verify(mixed, Proofs(checkpoints=[other])).fault.sequence
