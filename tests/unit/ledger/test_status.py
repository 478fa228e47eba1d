"""What a ledger tells of itself: what it holds, and how far its copy is."""

from contextlib import closing
from sqlite3 import connect

import pytest

from services.core.errors import LedgerError
from services.ledger.postgres_mark import Mark, mark
from services.ledger.sqlite import open_ledger
from services.ledger.status import status_of
from tests.unit.ledger.entries import ended, intent


async def recorded(ledger, *names):
    for name in names:
        await ledger.begin(intent(name), fingerprint="f")
        await ledger.finish(ended(intent(name)))


async def test_tells_records_and_requests_that_are_open(path, ledger):
    await recorded(ledger, "r1", "r2")
    await ledger.begin(intent("open"), fingerprint="f")

    found = status_of(path)
    assert (2, 2, 1) == (found.count, found.head.seq, found.open)
    assert 32 == len(found.chain_id)
    assert found.file_bytes + found.wal_bytes > 4096


async def test_a_new_ledger_is_empty(path, ledger):
    found = status_of(path)

    assert (0, None, None, Mark()) == (found.count, found.head, found.tombstone, found.mark)
    assert (0, 0.0) == (found.lag.records, found.lag.oldest_s)


async def test_tells_what_the_copy_lacks(path):
    noted = Mark(1, 5, "no route", 6)
    async with open_ledger(path) as ledger:
        await recorded(ledger, "r1", "r2", "r3")
        ledger.note_mirror(Mark(0, 4))
        ledger.note_mirror(noted)

    found = status_of(path)
    assert (noted, 2) == (found.mark, found.lag.records)
    assert 0.0 < found.lag.oldest_s < 60.0


async def test_a_note_after_the_end_is_dropped(path):
    async with open_ledger(path) as ledger:
        pass
    ledger.note_mirror(Mark(1))

    with closing(connect(path)) as connection:
        assert Mark() == mark(connection)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(LedgerError, match="there is no ledger"):
        status_of(tmp_path / "none.sqlite")
