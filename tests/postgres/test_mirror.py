"""PostgreSQL gets each record of each ledger once, as it is, and nothing that is not one of it."""

import asyncio
import shutil
import time

import pytest

from services.config.postgres import Postgres
from services.ledger import postgres_feed, postgres_schema
from services.ledger.checkpoint import Checkpoint
from services.ledger.postgres import database
from services.ledger.postgres_open import mirrored
from services.ledger.postgres_verify import verify_copies
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.ledger.verify import Proofs
from tests.postgres.chains import Book, until
from tests.unit.ledger.entries import ended, intent


def test_copies_what_is_there_and_what_comes(mirror, book, place):
    book.write(3)
    mirror(book)
    until(lambda: 3 == len(place.copy(book)))
    book.write(2)

    until(lambda: 5 == len(place.copy(book)))
    assert book.records == place.copy(book)


async def test_what_waits_for_the_disk_when_a_gateway_stops_is_copied_first(place, tmp_path):
    wanted, env = Postgres(url_env="COPY_URL"), {"COPY_URL": place.url()}
    async with (
        open_ledger(tmp_path / "own.sqlite", Terms(mode="relaxed")) as ledger,
        mirrored(ledger, wanted, env),
    ):
        await ledger.begin(intent("r1"), fingerprint="f")
        await ledger.finish(ended(intent("r1")))
        await asyncio.to_thread(until, lambda: 1 == copied(place))
        ledger._writer.submit(lambda _: time.sleep(0.5))
        await ledger.begin(intent("r2"), fingerprint="f")
        await ledger.finish(ended(intent("r2")))

    assert 2 == copied(place)


def copied(place):
    """Records that are there, of whatever ledger; none before there are tables."""
    if [(None,)] == place.rows("SELECT to_regclass('gremium_records')"):
        return 0
    return place.rows("SELECT count(*) FROM gremium_records")[0][0]


def test_a_long_chain_arrives_whole_and_in_order(mirror, book, place):
    book.write(3 * postgres_feed.BATCH + 1)
    mirror(book)

    until(lambda: len(book.records) == len(place.copy(book)))
    assert book.records == place.copy(book)


def test_tells_in_columns_what_one_searches_by(mirror, book, place):
    book.write(caller="a\0b", cost_usd=0.5)
    mirror(book)
    until(lambda: place.copy(book))

    found = place.rows(
        "SELECT ensemble, caller, state, outcome, error, cost_usd,"
        " abs(extract(epoch FROM now() - recorded)) < 60 FROM gremium_records"
    )
    caller = "a\N{REPLACEMENT CHARACTER}b"
    assert [("trio", caller, "COMPLETED", "ANSWERED", None, 0.5, True)] == found


def test_a_record_without_content_is_copied_without(mirror, book, place):
    book.write(2)
    book.execute("UPDATE records SET payload = NULL")
    mirror(book)

    until(lambda: 2 == len(place.copy(book)))
    assert book.records == place.copy(book)


def test_two_gateways_feed_one_database(mirror, book, place, tmp_path):
    other = Book(tmp_path / "other.sqlite")
    for each in (book, other):
        each.write(20)
        mirror(each)

    until(lambda: 20 == len(place.copy(other)) == len(place.copy(book)))
    assert other.records == place.copy(other)
    assert book.records == place.copy(book)
    other.close()


def test_the_tables_are_made_by_one_gateway_at_a_time(mirror, book, place):
    book.write()
    with place.server.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", (postgres_schema.LOCK,))
        mirror(book)
        until(lambda: place.rows("SELECT 1 FROM pg_locks WHERE NOT granted"))
        assert [(None,)] == place.rows("SELECT to_regclass('gremium_ledger')")

    until(lambda: 1 == len(place.copy(book)))


def test_goes_on_where_the_copy_ends(mirror, book, place):
    book.write(2)
    mirror(book).close()
    book.write(2)
    again = mirror(book)

    until(lambda: 4 == again.last.seq)
    assert book.records == place.copy(book)


@pytest.mark.parametrize("is_written", [True, False], ids=["written", "idle"])
def test_fills_what_was_emptied_by_hand(mirror, book, place, monkeypatch, is_written):
    monkeypatch.setattr(postgres_feed, "LOOK_S", 60.0 if is_written else 0.05)
    book.write(5)
    mirror(book)
    until(lambda: 5 == len(place.copy(book)))
    place.execute("TRUNCATE gremium_records")
    book.write(int(is_written))

    until(lambda: len(book.records) == len(place.copy(book)))
    assert book.records == place.copy(book)


def test_refuses_to_feed_an_older_copy_of_a_ledger(mirror, book, place, tmp_path):
    book.write(2)
    book.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(book.path, tmp_path / "old.sqlite")
    old = Book(tmp_path / "old.sqlite")
    book.write(2)
    mirror(book).close()
    old.write(3, ensemble="another")
    second = mirror(old)

    until(lambda: "older copy" in second.last.error)
    assert book.records == place.copy(book)
    old.close()


def test_refuses_a_ledger_that_ends_before_its_copy(mirror, book):
    book.write(3)
    mirror(book).close()
    book.execute("DELETE FROM records WHERE seq = 3")
    second = mirror(book)

    until(lambda: "ends at 2" in second.last.error)


def test_waits_for_tables_that_it_knows(mirror, book, place):
    mirror(book).close()
    place.execute("UPDATE gremium_ledger SET version = 99")
    book.write()
    second = mirror(book)
    until(lambda: "have version 99" in second.last.error)
    assert [] == place.copy(book)
    place.execute("UPDATE gremium_ledger SET version = 1")

    until(lambda: 1 == len(place.copy(book)))


def test_refuses_a_database_that_cannot_hold_every_text(mirror, book, place):
    place.execute("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    started = mirror(book, place.url(database="latin"))

    until(lambda: "LATIN1; UTF8 is needed" in started.last.error)


def test_needs_no_right_to_change_what_is_there(mirror, book, place):
    mirror(book).close()
    place.execute("CREATE ROLE writer LOGIN PASSWORD 'right'")
    place.execute(f"GRANT USAGE ON SCHEMA {place.schema} TO writer")
    place.execute("GRANT SELECT ON gremium_ledger TO writer")
    place.execute("GRANT SELECT, INSERT ON gremium_records TO writer")
    book.write(2)
    mirror(book, place.url(user="writer", password="right"))  # noqa: S106

    until(lambda: 2 == len(place.copy(book)))


def test_a_wrong_password_is_told_once_without_it_and_tried_again(mirror, book, place, caplog):
    place.execute("CREATE ROLE feeder LOGIN PASSWORD 'right'")
    place.execute(f"GRANT ALL ON SCHEMA {place.schema} TO feeder")
    book.write()
    target = place.url(user="feeder", password="of-yore", host=place.server.address)  # noqa: S106
    started = mirror(book, target)
    until(lambda: "password authentication failed" in started.last.error)
    place.execute("ALTER ROLE feeder PASSWORD 'of-yore'")

    until(lambda: place.copy(book))
    assert "of-yore" not in caplog.text + started.last.error
    assert 1 == caplog.text.count("PostgreSQL gets no records")


def test_records_that_were_not_copied_are_not_removed(mirror, book, place):
    book.write(3)
    assert 0 == book.prune(copied=0)
    copied = mirror(book)
    until(lambda: 3 == copied.last.seq)
    book.write(2)

    assert 3 == book.prune(copied=3)
    until(lambda: 6 == copied.last.seq)
    assert [1, 2, 3, 4, 5, 6] == [record.seq for record in place.copy(book)]


def test_a_copy_that_begins_behind_a_tombstone_is_proven(mirror, book, place):
    book.write(5)
    book.prune(copied=4)
    mirror(book).close()

    (found,) = verify_copies(place.url(), Proofs(), timeout_s=5)
    assert (4, 2, None) == (found.removed, found.checked, found.fault)


def test_a_chain_that_a_checkpoint_knows_and_that_is_not_there_is_missed(mirror, book, place):
    book.write()
    mirror(book).close()
    own, other = (
        Checkpoint(chain_id, 1, book.records[0].hash, "2026-01-01")
        for chain_id in (book.chain_id, "f")
    )

    found = verify_copies(place.url(), Proofs(checkpoints=[own, other]), timeout_s=5)
    faults = {each.chain_id: each.fault and each.fault.sequence for each in found}
    assert {book.chain_id: None, "f": 1} == faults


def test_a_copy_whose_beginning_is_missing_is_not_proven(mirror, book, place):
    book.write(5)
    mirror(book).close()
    place.execute("DELETE FROM gremium_records WHERE seq < 3")

    (found,) = verify_copies(place.url(), Proofs(), timeout_s=5)
    assert 1 == found.fault.sequence


def test_reads_the_chains_of_a_database(mirror, book, place):
    book.write(4)
    mirror(book).close()

    with database(place.url(), timeout_s=5) as opened:
        assert [book.chain_id] == opened.chains()
        assert book.records[1:] == list(opened.records(book.chain_id, after=1))


def test_commits_to_the_disk_whatever_the_database_does_by_default(place):
    with database(place.url(synchronous_commit="off"), timeout_s=5) as opened:
        set_to = opened._connection.execute("SHOW synchronous_commit").fetchone()

    assert ("on",) == set_to
