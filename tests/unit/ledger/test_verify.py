"""Whatever is changed or removed in a ledger, a verification names the first record that is wrong."""

import sqlite3

import pytest

from services.core.errors import LedgerError
from services.ledger.chain import Record, hash_of, records
from services.ledger.checkpoint import Checkpoint
from services.ledger.signing import make_key, verifier_of
from services.ledger.verify import Proofs, verify
from tests.unit.ledger.chains import add, change, opened


@pytest.fixture
def signer(tmp_path):
    return make_key(tmp_path / "key.pem")


@pytest.fixture
def own_key(tmp_path, signer):
    return verifier_of(tmp_path / "key.pem")


@pytest.fixture
def other_key(tmp_path):
    make_key(tmp_path / "other.pem")
    return verifier_of(tmp_path / "other.pem")


@pytest.fixture
def five(path, signer):
    """A ledger of five signed records."""
    add(path, "r1", "r2", "r3", "r4", "r5", signer=signer)
    return path


def fault(path, *keys, checkpoints=None, resume=False):
    """Place and problem of the first record that is wrong; None without any."""
    found = verify(path, Proofs(keys, checkpoints), resume=resume).fault
    return found and (found.sequence, found.problem)


def checkpoint(path, count=None):
    found = verify(path, Proofs())
    with opened(path) as connection:
        heads = {each.seq: each.hash for each in records(connection)}
    at = found.count if count is None else count
    return Checkpoint(found.chain_id, at, heads[at], "2026-03-01T12:00:00+00:00")


def rewritten(path, *, after=0, **changed):
    """Make all records after a place anew, as somebody would who knows how, but has no key."""
    with opened(path) as connection:
        (chain_id,) = connection.execute("SELECT chain_id FROM chain").fetchone()
        previous = None
        for each in list(records(connection, after=after)):
            fields = {name: getattr(each, name) for name in Record.__slots__}
            fields |= {"previous": previous or each.previous, "signature": b"", **changed}
            hashed = hash_of(Record(**fields), chain_id)
            connection.execute(
                "UPDATE records SET time_ns = ?, previous = ?, hash = ?, signature = ? WHERE seq = ?",
                (fields["time_ns"], fields["previous"], hashed, b"", each.seq),
            )
            previous = hashed


def test_what_was_recorded_is_right(five, own_key):
    found = verify(five, Proofs([own_key]))

    assert found.fault is None
    assert (5, 5, 5, 0) == (found.count, found.checked, found.signed, found.removed)


def test_an_empty_ledger_is_right(path, own_key):
    add(path)

    assert fault(path, own_key) is None


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        pytest.param("UPDATE records SET payload = x'00' WHERE seq = 3", "content", id="payload"),
        pytest.param("UPDATE records SET payload = NULL WHERE seq = 3", "missing", id="no payload"),
        pytest.param("UPDATE records SET kind = 2 WHERE seq = 3", "was changed", id="kind"),
        pytest.param("UPDATE records SET request_id = 'x' WHERE seq = 3", "was changed", id="id"),
        pytest.param("UPDATE records SET time_ns = 1 WHERE seq = 3", "was changed", id="time"),
        pytest.param("UPDATE records SET hash = zeroblob(32) WHERE seq = 3", "changed", id="hash"),
        pytest.param(
            "UPDATE records SET previous = zeroblob(32) WHERE seq = 3", "follow", id="previous"
        ),
        pytest.param("DELETE FROM records WHERE seq = 3", "record 3 is missing", id="removed"),
        pytest.param(
            "UPDATE records SET signature = zeroblob(72) WHERE seq = 3",
            "signed by key",
            id="signed",
        ),
    ],
)
def test_names_the_record_that_was_changed(five, own_key, statement, problem):
    change(five, statement)

    place, told = fault(five, own_key)

    assert 3 == place
    assert problem in told


@pytest.mark.parametrize("seq", [1, 5])
def test_names_it_at_either_end(five, own_key, seq):
    change(five, "UPDATE records SET payload = x'00' WHERE seq = ?", seq)

    assert seq == fault(five, own_key)[0]


def test_two_records_that_changed_places_are_found(five):
    with opened(five) as connection:
        for before, after in ((2, 99), (3, 2), (99, 3)):
            connection.execute("UPDATE records SET seq = ? WHERE seq = ?", (after, before))

    assert 2 == fault(five)[0]


def test_a_start_that_was_removed_is_missed(five):
    change(five, "DELETE FROM records WHERE seq <= 2")

    assert (1, "record 1 is missing") == fault(five)


def test_a_chain_made_anew_stands_without_a_key_and_falls_with_one(five, own_key):
    rewritten(five, after=2, time_ns=1)

    assert fault(five) is None
    assert (3, "record 3 is not signed, though one before it is") == fault(five, own_key)


def test_records_before_a_key_are_vouched_for_by_those_after(path, signer, own_key):
    add(path, "r1", "r2")
    add(path, "r3", signer=signer)

    assert fault(path, own_key) is None

    rewritten(path, after=2)
    assert 1 == fault(path, own_key)[0]


def test_another_key_is_not_believed(five, other_key, own_key):
    place, told = fault(five, other_key)

    assert 1 == place
    assert f"it is signed by key {own_key.key_id}, not by {other_key.key_id}" in told


def test_several_keys_are_believed_one_after_the_other(five, tmp_path, own_key):
    add(five, "r6", signer=make_key(tmp_path / "second.pem"))

    assert fault(five, own_key, verifier_of(tmp_path / "second.pem")) is None
    assert 6 == fault(five, own_key)[0]


def test_records_missing_at_the_end_are_found_by_a_checkpoint_alone(five, own_key):
    known = checkpoint(five)
    change(five, "DELETE FROM records WHERE seq > 3")
    change(five, "DELETE FROM manifests WHERE seq > 3")

    assert fault(five, own_key) is None
    seen = f"the checkpoint of {known.time} knows 5 records"
    assert (4, f"record 4 is missing: {seen}") == fault(five, own_key, checkpoints=[known])


def test_a_ledger_made_anew_is_found_by_a_checkpoint(five, tmp_path):
    known = checkpoint(five)
    other = tmp_path / "other.sqlite"
    add(other, "r1", "r2", "r3", "r4", "r5", "r6")

    assert "other chains only" in fault(other, checkpoints=[known])[1]


def test_a_chain_rewritten_after_a_checkpoint_is_found_where_it_was_taken(five):
    known = checkpoint(five, 4)
    rewritten(five, after=2, time_ns=1)

    place, told = fault(five, checkpoints=[known])

    assert 4 == place
    assert f"not the one that the checkpoint of {known.time} knows" in told


def test_later_records_agree_with_earlier_checkpoints(five, signer, own_key):
    known = [checkpoint(five, 2).signed(signer), checkpoint(five).signed(signer)]
    add(five, "r6", signer=signer)

    found = verify(five, Proofs([own_key], known))

    assert found.fault is None
    assert 2 == found.checkpoints


def test_a_checkpoint_that_was_changed_is_not_believed(five, signer, own_key):
    known = checkpoint(five).signed(signer)
    forged = Checkpoint(known.chain_id, 4, known.head, known.time, known.signature)

    assert "is not to be believed" in fault(five, own_key, checkpoints=[forged])[1]


def test_goes_on_from_the_last_checkpoint(five, own_key):
    known = checkpoint(five, 3)
    change(five, "UPDATE records SET payload = x'00' WHERE seq = 2")

    assert 2 == verify(five, Proofs([own_key], [known]), resume=True).checked
    assert 2 == fault(five, own_key, checkpoints=[known])[0]


def test_starts_anew_where_the_last_checkpoint_does_not_agree(five):
    known = checkpoint(five)
    change(five, "DELETE FROM records WHERE seq > 3")

    assert 4 == fault(five, checkpoints=[known], resume=True)[0]


def test_starts_anew_where_the_last_checkpoint_knows_another_record(five):
    known = checkpoint(five)
    other = Checkpoint(known.chain_id, 5, bytes(32), known.time)

    assert 5 == fault(five, checkpoints=[other], resume=True)[0]


def test_reads_while_a_gateway_writes(five):
    other = sqlite3.connect(five, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")

    assert fault(five) is None
    other.close()


@pytest.mark.parametrize("content", [None, b"no ledger at all" * 100])
def test_a_file_that_is_no_ledger_is_named(path, content):
    if content:
        path.write_bytes(content)

    with pytest.raises(LedgerError, match=path.name):
        verify(path, Proofs())


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        pytest.param("SET cost_micro_usd = 0", "its record has another cost_micro_usd", id="cost"),
        pytest.param("SET charged_usd = 0", "its record has another charged_usd", id="charge"),
        pytest.param("SET ensemble = 'x'", "its record has another ensemble", id="ensemble"),
        pytest.param("SET outcome = 3", "its record has another outcome", id="outcome"),
        pytest.param("SET seq = 4", "its record has another request_id", id="other record"),
        pytest.param("SET seq = 99", "it has no record", id="no record"),
    ],
)
def test_the_list_of_requests_must_say_what_the_records_do(five, own_key, statement, problem):
    change(five, f"UPDATE manifests {statement} WHERE request_id = 'r3'")

    assert f"the list of requests shows r3 otherwise: {problem}" == fault(five, own_key)[1]


def test_the_list_of_requests_must_have_them_all(five, own_key):
    change(five, "DELETE FROM manifests WHERE request_id = 'r3'")

    assert (3, "the list of requests lacks record 3") == fault(five, own_key)
