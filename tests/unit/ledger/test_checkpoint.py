"""Checkpoints are lines that are only ever added, and tell whether they were changed."""

import json

import pytest

from services.core.errors import LedgerError
from services.ledger.checkpoint import Checkpoint, append_checkpoint, read_checkpoints
from services.ledger.signing import make_key, verifier_of
from tests.unit.ledger.disks import smaller_than

FIRST = Checkpoint("c0", 3, bytes(32), "2026-03-01T12:00:00+00:00")
SECOND = Checkpoint("c0", 5, b"\1" * 32, "2026-03-02T12:00:00+00:00")


@pytest.fixture
def signer(tmp_path):
    return make_key(tmp_path / "key.pem")


@pytest.fixture
def verifier(tmp_path, signer):
    return verifier_of(tmp_path / "key.pem")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "elsewhere" / "checkpoints"


def test_each_is_one_more_line(file, signer):
    append_checkpoint(file, FIRST)
    before = file.read_text()
    append_checkpoint(file, SECOND.signed(signer))

    assert file.read_text().startswith(before)
    assert [FIRST, SECOND.signed(signer)] == read_checkpoints(file)


def test_a_person_can_read_one(file):
    append_checkpoint(file, FIRST)

    told = json.loads(file.read_text())
    assert ("c0", 3, "00" * 32) == (told["chain_id"], told["count"], told["head"])


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"chain_id": "c1"}, id="chain"),
        pytest.param({"count": 2}, id="count"),
        pytest.param({"head": "11" * 32}, id="head"),
        pytest.param({"time": "2026-03-01T12:00:01+00:00"}, id="time"),
        pytest.param({"signature": "00" * 72}, id="signature"),
    ],
)
def test_a_signed_one_tells_that_it_was_changed(file, signer, verifier, changed):
    append_checkpoint(file, FIRST.signed(signer))
    (true,) = read_checkpoints(file)
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    (forged,) = read_checkpoints(file)

    assert "" == true.problem([verifier])
    assert forged.problem([verifier])


def test_one_of_several_keys_is_enough(signer, verifier, tmp_path):
    make_key(tmp_path / "other.pem")
    other = verifier_of(tmp_path / "other.pem")

    assert "" == FIRST.signed(signer).problem([other, verifier])
    assert FIRST.signed(signer).problem([other])


@pytest.mark.parametrize("line", ["", "{}", "[]", "no JSON", '{"chain_id": "c", "count": "x"}'])
def test_a_line_that_is_none_is_named(file, line):
    append_checkpoint(file, FIRST)
    file.write_text(f"{file.read_text()}{line}\n")

    with pytest.raises(LedgerError, match=f"{file.name}:2 is no checkpoint"):
        read_checkpoints(file)


@pytest.mark.parametrize("room", [0, 10])
def test_one_that_a_full_disk_does_not_take_leaves_the_others(file, room):
    append_checkpoint(file, FIRST)
    limit = file.stat().st_size + room
    with smaller_than(limit), pytest.raises(LedgerError, match="cannot write checkpoint"):
        append_checkpoint(file, SECOND)

    assert [FIRST] == read_checkpoints(file)
    append_checkpoint(file, SECOND)
    assert [FIRST, SECOND] == read_checkpoints(file)


def test_a_key_that_a_full_disk_does_not_take_is_made_later(tmp_path):
    path = tmp_path / "key.pem"
    with smaller_than(10), pytest.raises(LedgerError, match="cannot write key"):
        make_key(path)

    assert make_key(path).key_id == verifier_of(path).key_id


def test_a_file_that_is_missing_or_cannot_be_written_is_named(file, tmp_path):
    with pytest.raises(LedgerError, match=file.name):
        read_checkpoints(file)
    with pytest.raises(LedgerError, match=tmp_path.name):
        append_checkpoint(tmp_path, FIRST)
