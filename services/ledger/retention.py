"""Removes the oldest records of a ledger, and leaves a tombstone that stands for them.

First the tombstone is recorded, signed as all records are; what it names is removed after it, some
at a time, so that requests do not wait. Whoever is killed in between finds the rest next time.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gremium.v1.ledger_pb2 import RECORD_KIND_TOMBSTONE, Tombstone
from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS
from services.ledger.chain import START, append, head, record_at
from services.ledger.postgres_mark import mark
from services.ledger.signing import Signer

BATCH: Final = 200
"""Records that are removed in one transaction."""

FIRST_NEEDED: Final = """
    SELECT MIN(seq) FROM (
        SELECT MIN(r.seq) AS seq FROM manifests m JOIN records r ON r.request_id = m.request_id
         WHERE m.state = :open
        UNION ALL
        SELECT MIN(m.seq) FROM replies r JOIN manifests m ON m.request_id = r.request_id
         WHERE r.expires_ns > :now_ns
    )
"""
"""First record of a request that is open, or whose reply may be asked for again."""
FIRST_YOUNG: Final = "SELECT seq FROM records WHERE seq > ? AND time_ns >= ? ORDER BY seq LIMIT 1"
REMOVE: Final = "DELETE FROM manifests WHERE request_id = ? AND seq <= ?"
"""Not where the request was asked anew meanwhile: its row then has no record."""
LATEST: Final = "SELECT payload FROM records WHERE kind = ? ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Keep:
    """What retention must leave, whatever its age."""

    since_ns: int
    """Records of this time or later, nanoseconds since 1970."""
    now_ns: int
    """Replies that can still be asked for now."""
    uncopied: bool = False
    """Records that PostgreSQL does not have yet."""


def latest_tombstone(connection: sqlite3.Connection) -> Tombstone:
    """What stands for all that was removed so far; of a whole chain, that nothing was."""
    found = connection.execute(LATEST, (RECORD_KIND_TOMBSTONE,)).fetchone()
    return Tombstone.FromString(found[0]) if found else Tombstone(last_hash=START)


def bury(connection: sqlite3.Connection, *, keep: Keep, signer: Signer | None) -> int:
    """Record a tombstone for the oldest records, up to the first that must stay.

    Returns how many it stands for beyond those of the one before; without any, nothing is recorded.
    """
    before = latest_tombstone(connection).last_sequence
    last = record_at(connection, _last_removable(connection, keep, before))
    if last is None or last.seq <= before:
        return 0
    since = datetime.fromtimestamp(keep.since_ns / 1e9, UTC).isoformat(timespec="seconds")
    stone = Tombstone(
        count=last.seq,
        last_sequence=last.seq,
        last_hash=last.hash,
        reason_text=f"recorded before {since}, longer ago than records are kept",
    )
    append(
        connection,
        RECORD_KIND_TOMBSTONE,
        request_id="",
        payload=stone.SerializeToString(),
        time_ns=keep.now_ns,
        signer=signer,
    )
    return last.seq - before


def clear(connection: sqlite3.Connection) -> int:
    """Remove some of what a tombstone stands for.

    Returns how many records are gone; 0 when nothing is left to remove.
    """
    last = latest_tombstone(connection).last_sequence
    dead = connection.execute(
        "SELECT seq, request_id FROM records WHERE seq <= ? ORDER BY seq LIMIT ?", (last, BATCH)
    ).fetchall()
    if not dead:
        return 0
    connection.executemany(REMOVE, [(id_, last) for _, id_ in dead])
    connection.execute("DELETE FROM records WHERE seq <= ?", (dead[-1][0],))
    return len(dead)


def _last_removable(connection: sqlite3.Connection, keep: Keep, before: int) -> int:
    """Place of the last record before the first that must stay."""
    last = head(connection)
    young = connection.execute(FIRST_YOUNG, (before, keep.since_ns)).fetchone()
    wanted = {"open": MANIFEST_STATE_IN_PROGRESS, "now_ns": keep.now_ns}
    (needed,) = connection.execute(FIRST_NEEDED, wanted).fetchone()
    stay: list[int] = [
        last.seq + 1 if last else 1,
        *([young[0]] if young else []),
        *([needed] if needed else []),
        *([mark(connection).seq + 1] if keep.uncopied else []),
    ]
    return min(stay) - 1
