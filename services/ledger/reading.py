"""Opens a ledger for whoever only reads: while a gateway writes it, or not."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from services.core.errors import LedgerError
from services.ledger.schema import problem_of

BUSY_S: Final = 5.0
"""Longest wait for another program that holds the file, such as a backup."""


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
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
            if problem := problem_of(connection):
                raise LedgerError(f"cannot read ledger {path}: {problem}")
            yield connection
    except sqlite3.Error as err:
        raise LedgerError(f"cannot read ledger {path}: {err}") from err
