"""A copy goes on only behind a record that is its own chain's."""

import pytest

from services.core.errors import LedgerError
from services.ledger.chain import Record
from services.ledger.postgres import NOTHING, Head
from services.ledger.postgres_feed import check_follows


def record(seq, *, previous):
    return Record(seq, 1, "r", 0, b"", b"", previous, b"hash %d" % seq, b"")


@pytest.mark.parametrize(
    ("head", "records", "last"),
    [
        pytest.param(NOTHING, [record(1, previous=bytes(32))], 1, id="nothing is there"),
        pytest.param(NOTHING, [], 0, id="nothing is here either"),
        pytest.param(Head(1, b"hash 1"), [record(2, previous=b"hash 1")], 2, id="the next one"),
        pytest.param(Head(1, b"hash 1"), [record(5, previous=b"hash 4")], 5, id="after a gap"),
        pytest.param(Head(2, b"hash 2"), [], 2, id="all of it is there"),
    ],
)
def test_goes_on_behind(head, records, last):
    check_follows(head, records, last=Head(last, b"hash %d" % last) if last else NOTHING)


@pytest.mark.parametrize(
    ("head", "records", "last"),
    [
        pytest.param(Head(1, b"x"), [record(2, previous=b"hash 1")], 2, id="another record"),
        pytest.param(Head(2, b"x"), [], 2, id="another end"),
        pytest.param(Head(3, b"hash 3"), [], 2, id="an older file"),
        pytest.param(Head(3, b"hash 3"), [], 0, id="an emptied file"),
    ],
)
def test_refuses_to_go_on_behind(head, records, last):
    with pytest.raises(LedgerError, match="another one"):
        check_follows(head, records, last=Head(last, b"hash %d" % last))
