"""Opens the ledger: one SQLite file with one owner, brought to the newest version."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from services.core.errors import LedgerError
from services.ledger import records
from services.ledger.adoption import adopt
from services.ledger.ledger import Ledger
from services.ledger.lock import owning
from services.ledger.off import Off
from services.ledger.reading import BUSY_S
from services.ledger.schema import migrate
from services.ledger.terms import Terms
from services.ledger.writer import Writer
from services.runtime import figures, metrics

__all__ = ["BUSY_S", "Ledger", "open_ledger"]

logger = logging.getLogger(__name__)

USUAL: Final = Terms()
FLUSH_S: Final = 30.0
"""Longest wait for the last records when the ledger is closed."""
FORGET_EVERY_S: Final = 60.0
"""How often replies that expired are removed."""


@asynccontextmanager
async def open_ledger(
    path: Path,
    terms: Terms = USUAL,
    *,
    busy_s: float = BUSY_S,
) -> AsyncIterator[Ledger]:
    """Open a ledger as its only owner; create it if need be. Its end commits what waits.

    Intents that a dead process left open fail with `INTERRUPTED`. Where the
    terms say that nothing is recorded there is no file.

    Raises
    ------
    LedgerError
        If the path cannot be used, or another process has the ledger open.
    """
    if terms.mode == "off":
        yield Off()
        return
    with ExitStack() as held:
        with _naming(path):
            _create(path)
            held.enter_context(owning(path))
            writer = Writer(await asyncio.to_thread(_prepared, path, terms, busy_s))
        ledger = Ledger(path, writer, terms=terms, busy_s=busy_s)
        metrics.watch(figures.LEDGER_FAILING, lambda: [(float(bool(ledger.trouble)), {})])
        forgetting = asyncio.create_task(_forget(ledger))
        try:
            yield ledger
        finally:
            forgetting.cancel()
            await asyncio.wait([forgetting])
            if not await ledger.close(within_s=FLUSH_S):
                logger.error("ledger %s did not flush within %g s", path, FLUSH_S)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into an error that names it."""
    try:
        yield
    except (OSError, sqlite3.Error, ValueError) as err:
        raise LedgerError(f"cannot open ledger {path}: {err}") from err


def _create(path: Path) -> None:
    """Make the file, for its owner's eyes: answers are in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _prepared(path: Path, terms: Terms, busy_s: float) -> sqlite3.Connection:
    """A connection that writes, on a file of the newest version without open intents."""
    connection = sqlite3.connect(
        path, timeout=busy_s, isolation_level=None, check_same_thread=False
    )
    with ExitStack() as on_error:
        on_error.callback(connection.close)
        connection.execute("PRAGMA secure_delete = ON")  # what is removed is gone
        migrate(connection, adopt=partial(adopt, terms=terms, now_ns=time.time_ns()))
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise ValueError(f"its file system cannot keep a write-ahead log (got {mode})")
        connection.execute("PRAGMA synchronous = FULL")
        _interrupt(connection, terms)
        on_error.pop_all()
    return connection


def _interrupt(connection: sqlite3.Connection, terms: Terms) -> None:
    connection.execute("BEGIN IMMEDIATE")
    interrupted = records.interrupt(connection, signer=terms.signer, now_ns=time.time_ns())
    if interrupted:
        logger.warning("%d requests were interrupted when the ledger was last open", interrupted)
    connection.execute("COMMIT")


async def _forget(ledger: Ledger) -> None:
    """Remove replies that expire, until cancelled."""
    while True:
        with suppress(LedgerError):
            await ledger.forget()
        await asyncio.sleep(FORGET_EVERY_S)
