"""Gives the disk back what was removed from a ledger: SQLite keeps its file as large as it was."""

import sqlite3
from contextlib import closing
from pathlib import Path

from services.core.errors import LedgerError
from services.ledger.lock import owning
from services.ledger.reading import BUSY_S


def compact(path: Path) -> int:
    """Write the file anew without what is empty in it; returns how many bytes smaller it is.

    Raises
    ------
    LedgerError
        If a gateway has it open, or the disk has no room for the new file beside the old one.
    """
    before = path.stat().st_size
    try:
        with owning(path), closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as err:
        raise LedgerError(f"cannot compact ledger {path}: {err}") from err
    return before - path.stat().st_size
