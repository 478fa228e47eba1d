"""Reads records a page at a time, so that a slow reader holds nothing up."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.ledger.chain import COLUMNS, Record, head
from services.ledger.columns import Line, line_of
from services.ledger.reading import reading
from services.ledger.retention import latest_tombstone

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Which:
    """Which records are read; those that were there when it began."""

    kinds: frozenset[int] = frozenset()
    """Empty: all."""
    since_ns: int = 0
    """Recorded then or later, nanoseconds since 1970."""
    until_ns: int = 2**63 - 1
    """Recorded before."""


def lines(
    path: Path, which: Which, *, tell: Callable[[int, int], object] = lambda *_: None
) -> Iterator[Line]:
    """Records of a ledger, oldest first; `tell` hears the place of each page's end, and the last.

    Raises
    ------
    LedgerError
        If the file is missing, no ledger, or cannot be read.
    """
    with reading(path) as connection:
        newest = head(connection)
        last = newest.seq if newest else 0
        after = latest_tombstone(connection).last_sequence
        while after < last:
            page = _page(connection, after, last)
            if not page:
                return
            after = page[-1].seq
            tell(after, last)
            yield from (line_of(each) for each in page if _is_wanted(each, which))


def _page(connection: sqlite3.Connection, after: int, last: int) -> list[Record]:
    query = f"SELECT {COLUMNS} FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"  # noqa: S608 - constants
    return [Record(*row) for row in connection.execute(query, (after, last, PAGE))]


def _is_wanted(record: Record, which: Which) -> bool:
    return (not which.kinds or record.kind in which.kinds) and (
        which.since_ns <= record.time_ns < which.until_ns
    )
