"""What a ledger's file tells of itself: its chain, how large it is, how far its copy is."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gremium.v1.ledger_pb2 import RECORD_KIND_TOMBSTONE, Tombstone
from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS
from services.ledger import chain
from services.ledger.postgres_mark import Mark, mark
from services.ledger.reading import reading

TOMBSTONE: Final = "SELECT seq, payload FROM records WHERE kind = ? ORDER BY seq DESC LIMIT 1"
WAITING: Final = "SELECT COUNT(*), MIN(time_ns) FROM records WHERE seq > ?"


@dataclass(frozen=True, slots=True)
class Lag:
    """What the copy lacks."""

    records: int
    oldest_s: float
    """Age of the oldest record that it lacks, in seconds; 0 where it lacks none."""


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """A ledger at one time."""

    chain_id: str
    head: chain.Record | None
    """The last record; None while there is none."""
    count: int
    """Records that are there."""
    open: int
    """Requests that were begun and have no end: they run, or their gateway is dead."""
    tombstone: Tombstone | None
    """The last that retention left."""
    mark: Mark
    lag: Lag
    file_bytes: int
    wal_bytes: int


def status_of(path: Path) -> LedgerStatus:
    """Read it, while a gateway writes or not.

    Raises
    ------
    LedgerError
        If the file is missing or no ledger.
    """
    with reading(path) as connection:
        connection.execute("BEGIN")  # one view of it all
        copied = mark(connection)
        return LedgerStatus(
            chain_id=chain.chain_id_of(connection),
            head=chain.head(connection),
            count=_count(connection, "SELECT COUNT(*) FROM records"),
            open=_count(
                connection,
                "SELECT COUNT(*) FROM manifests WHERE state = ?",
                MANIFEST_STATE_IN_PROGRESS,
            ),
            tombstone=_tombstone(connection),
            mark=copied,
            lag=lag_of(connection, copied.seq),
            file_bytes=_size(path),
            wal_bytes=_size(path.with_name(f"{path.name}-wal")),
        )


def lag_of(connection: sqlite3.Connection, seq: int) -> Lag:
    """What a copy lacks that has all records up to `seq`."""
    records, oldest_ns = connection.execute(WAITING, (seq,)).fetchone()
    return Lag(records, max(0.0, (time.time_ns() - oldest_ns) / 1e9) if records else 0.0)


def _tombstone(connection: sqlite3.Connection) -> Tombstone | None:
    found = connection.execute(TOMBSTONE, (RECORD_KIND_TOMBSTONE,)).fetchone()
    return Tombstone.FromString(found[1]) if found else None


def _count(connection: sqlite3.Connection, query: str, *values: object) -> int:
    (count,) = connection.execute(query, values).fetchone()
    return int(count)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
