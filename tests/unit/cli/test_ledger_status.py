"""`gremium ledger status` says in words what the ledger's file tells."""

import pytest

from gremium.v1.ledger_pb2 import Tombstone
from services.cli.ledger_status import as_told, lines
from services.config.ledger import Ledger
from services.config.postgres import Postgres
from services.ledger.chain import Record
from services.ledger.postgres_mark import Mark
from services.ledger.status import Lag, LedgerStatus

SECOND_NS = 10**9
HEAD = Record(9, 1, "r", SECOND_NS, b"", b"", b"", b"\xab" * 32, b"")


def told(path, *, mark=None, lag=None, configured=None, **fields):
    usual = {
        "chain_id": "f00",
        "head": HEAD,
        "count": 5,
        "open": 0,
        "tombstone": None,
        "file_bytes": 8192,
        "wal_bytes": 0,
    }
    found = LedgerStatus(mark=mark or Mark(), lag=lag or Lag(0, 0.0), **{**usual, **fields})
    return "\n".join(lines(as_told(path, found, configured)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def test_names_the_last_record_and_who_signed_it(path):
    assert "records    5; the last of 1970-01-01T00:00:01+00:00, abababababababab; not signed" in (
        told(path)
    )


def test_an_empty_ledger_holds_nothing_yet(path):
    assert "records    0; nothing yet" in told(path, head=None, count=0)


def test_tells_mode_and_texts_where_a_configuration_does(path):
    assert "mode       relaxed; texts: answers" in told(
        path, configured=Ledger(mode="relaxed", texts="answers")
    )
    assert "texts:" not in told(path)


def test_tells_what_retention_removed(path):
    stone = Tombstone(count=4, last_sequence=4, reason_text="too old")

    assert "removed    4 records up to 4: too old" in told(path, tombstone=stone)


def test_says_how_to_get_a_copy(path):
    assert "PostgreSQL no copy; `ledger.postgres`" in told(path, configured=Ledger())


def test_tells_how_far_the_copy_is(path):
    copying = Ledger(postgres=Postgres())

    assert "PostgreSQL has records up to 9, lacks nothing" in told(
        path, mark=Mark(9, 5), configured=copying
    )
    assert "PostgreSQL has records up to 7, lacks 2, the oldest for 90 s\n" in told(
        path,
        mark=Mark(7, 5, "no route", SECOND_NS),
        lag=Lag(2, 90.0),
        configured=copying,
    )


def test_tells_why_the_copy_is_not_fed_and_since_when(path):
    shown = told(path, mark=Mark(7, 5, "no route", SECOND_NS), configured=Ledger())

    assert "fails since 1970-01-01T00:00:01+00:00: no route" in shown
    assert "not configured any more" in shown
