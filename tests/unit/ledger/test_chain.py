"""Records stand in a chain: whatever is changed in one of them is noticed."""

import asyncio
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gremium.v1 import ledger_pb2, manifest_pb2
from services.core.errors import RequestInProgressError
from services.ledger import chain
from services.ledger.chain import START, Record
from services.ledger.reading import reading
from services.ledger.signing import make_key, verifier_of
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from tests.unit.ledger.entries import ended, intent

CHAIN = "c" * 32


@pytest.fixture
def signer(tmp_path):
    return make_key(tmp_path / "key.pem")


@pytest.fixture
async def file(path, signer):
    """A ledger with three signed records."""
    async with open_ledger(path, Terms(signer=signer)) as ledger:
        for name in ("r1", "r2"):
            await ledger.begin(intent(name), fingerprint="f")
            await ledger.finish(ended(intent(name)))
        await ledger.add_feedback("r1", manifest_pb2.Feedback(score=1.0))
    return path


def read(file):
    with reading(file) as connection:
        return chain.chain_id_of(connection), list(chain.records(connection))


def problems(chain_id, records):
    previous, found = START, []
    for nth, record in enumerate(records, start=1):
        found.append(chain.problem_of(record, chain_id, seq=nth, previous=previous))
        previous = record.hash
    return found


def test_an_untouched_chain_holds_and_is_signed(file, tmp_path):
    chain_id, records = read(file)
    verifier = verifier_of(tmp_path / "key.pem")

    assert ["", "", ""] == problems(chain_id, records)
    assert [1, 1, 2] == [record.kind for record in records]
    assert {""} == {verifier.problem_of(each.signature, each.hash) for each in records}


def test_records_tell_what_was_recorded(file):
    _, (first, _, said) = read(file)

    assert "r1" == manifest_pb2.Manifest.FromString(first.payload).request_id
    assert 1.0 == manifest_pb2.Feedback.FromString(said.payload).score


def test_they_can_be_read_from_any_place_on(file):
    with reading(file) as connection:
        assert [3] == [record.seq for record in chain.records(connection, after=2)]
        assert 3 == chain.head(connection).seq
        assert 2 == chain.record_at(connection, 2).seq
        assert chain.record_at(connection, 4) is None


def flipped(value, at):
    """The value with one bit changed."""
    match value:
        case int():
            return value ^ 1
        case str():
            return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        case bytes():
            return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


@pytest.mark.parametrize("column", [field.name for field in fields(Record)])
def test_a_changed_byte_in_any_column_is_noticed(file, tmp_path, column):
    chain_id, records = read(file)
    verifier, whole = verifier_of(tmp_path / "key.pem"), getattr(records[1], column)

    for at in range(1 if isinstance(whole, int) else len(whole)):
        broken = replace(records[1], **{column: flipped(whole, at)})
        seen = "".join(problems(chain_id, [records[0], broken, records[2]]))
        assert seen or verifier.problem_of(broken.signature, broken.hash), at


def test_a_record_of_another_chain_is_noticed(file):
    _, records = read(file)

    assert "record 1 was changed" == problems(CHAIN, records)[0]


def test_a_removed_record_is_noticed(file):
    chain_id, records = read(file)

    assert ["", "record 2 is missing"] == problems(chain_id, [records[0], records[2]])


def test_the_link_of_a_record_without_payload_still_holds(file):
    chain_id, records = read(file)

    assert ["", "", ""] == problems(chain_id, [replace(each, payload=None) for each in records])


def test_a_record_that_was_made_up_breaks_the_next_one(file):
    chain_id, (first, second, third) = read(file)
    other = replace(second, payload=b"", payload_sha256=first.payload_sha256)
    other = replace(other, hash=chain.hash_of(other, chain_id))

    found = problems(chain_id, [first, other, third])

    assert "record 3 does not follow the one before it" == found[2]


blank = Record(1, 1, "", 0, None, b"", b"", b"", b"")
texts = st.text(max_size=4)


@given(texts, texts, texts, texts)
def test_no_two_places_of_a_record_run_into_each_other(chain_one, id_one, chain_two, id_two):
    one, two = replace(blank, request_id=id_one), replace(blank, request_id=id_two)

    alike = (chain_one, id_one) == (chain_two, id_two)
    assert alike == (chain.hash_of(one, chain_one) == chain.hash_of(two, chain_two))


async def test_each_file_is_a_chain_of_its_own(tmp_path):
    for name in ("a", "b"):
        async with open_ledger(tmp_path / name):
            pass

    assert read(tmp_path / "a")[0] != read(tmp_path / "b")[0]


async def answered(ledger, name):
    """One of several simultaneous calls with the same request_id; whether it was acknowledged."""
    try:
        again = await ledger.begin(intent(name), fingerprint="f")
    except RequestInProgressError:
        return False
    if again is None:
        await ledger.finish(ended(intent(name)))
    return True


async def test_each_request_that_was_acknowledged_has_exactly_one_end(path):
    names = [f"r{nth}" for nth in range(40)]
    async with open_ledger(path) as ledger:
        told = await asyncio.gather(*(answered(ledger, name) for name in 3 * names))
        assert {True} == set(await asyncio.gather(*(answered(ledger, name) for name in names)))

    _, records = read(path)
    assert sum(told) >= len(names)
    assert sorted(names) == sorted(record.request_id for record in records)
    assert {ledger_pb2.RECORD_KIND_END} == {record.kind for record in records}
