"""Opens a ledger for whoever only reads: while a gateway writes it, or not."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from services.core.errors import LedgerError
from services.ledger.schema import problem_of

BUSY_S: Final = 5.0
"""Longest wait for another program that holds the file, such as a backup."""
PAGE_ROWS: Final = 500
PAGE_BYTES: Final = 8 * 1024 * 1024
"""A page is full at so many rows, or bytes."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads, and whose errors name the file.

    Raises
    ------
    LedgerError
        If the file is missing, no ledger, of another version, or cannot be read.
    """
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path}")
    try:
        with closing(_opened(path)) as connection:
            if problem := problem_of(connection):
                raise LedgerError(f"cannot read ledger {path}: {problem}")
            yield connection
    except sqlite3.Error as err:
        raise LedgerError(f"cannot read ledger {path}: {err}") from err


def paged(
    connection: sqlite3.Connection, query: str, values: Sequence[object], *, since_ns: int = 0
) -> Iterator[tuple[Any, ...]]:
    """Rows of requests, oldest first, page by page.

    As long as a query is underway, what the gateway writes cannot be moved from
    its journal into the file: the journal would grow for as long as a report takes.

    Parameters
    ----------
    query : str
        Tells `start_ns` and `request_id` first, and is ordered by them; its last two
        parameters are those that rows come after.
    values : sequence
        All other parameters.
    """
    after: tuple[int, str] | None = (since_ns, "")
    while after is not None:
        page, size = [], 0
        with closing(connection.execute(query, (*values, *after))) as rows:
            after = None
            for row in rows:
                page.append(row)
                size += sum(len(part) for part in row if isinstance(part, bytes))
                if len(page) == PAGE_ROWS or size >= PAGE_BYTES:
                    after = row[:2]
                    break
        yield from (row[2:] for row in page)


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that reads. A file at rest needs no folder that can be written to."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S)
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as err:
        connection.close()
        if err.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or _has_log(path):
            raise
        return sqlite3.connect(f"{uri}&immutable=1", uri=True, timeout=BUSY_S)
    except BaseException:
        connection.close()
        raise
    return connection


def _has_log(path: Path) -> bool:
    """Whether there is something that is not in the file itself yet."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
