"""The thread that copies the ledger to PostgreSQL: no request waits for it, whatever happens there."""

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg

from services.core.errors import LedgerError
from services.ledger.postgres import Database, database
from services.ledger.postgres_feed import Feed
from services.ledger.postgres_progress import Progress

logger = logging.getLogger(__name__)

POLL_S: Final = 0.25
"""Pause before new records are looked for."""
FIRST_PAUSE_S: Final = 0.25
"""Pause after a failure; each one after it is twice as long."""
LONGEST_PAUSE_S: Final = 10.0
BUSY_S: Final = 5.0
"""Longest wait for another program that holds the ledger's file."""
DRAIN_S: Final = 2.0
"""How long, at most, what is left is still fed when the gateway stops."""
CUT_S: Final = 2.0
"""Longest wait for the thread once its connection is cut."""

FORESEEN: Final = (psycopg.Error, sqlite3.Error, LedgerError, OSError)


class Mirror:
    """Copies records from the moment it is made until it is closed."""

    def __init__(self, path: Path, target: str, *, timeout_s: float, progress: Progress) -> None:
        """Begin to copy the ledger at `path` to the database of a connection string."""
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        self._target, self._timeout_s, self._progress = target, timeout_s, progress
        self._pause_s = FIRST_PAUSE_S
        self._stopping = threading.Event()
        self._database: Database | None = None
        self._thread = threading.Thread(target=self._run, name="ledger-mirror", daemon=True)
        self._thread.start()

    def close(self) -> bool:
        """Feed what is left, as long as that goes well and fast; returns whether it stopped."""
        self._stopping.set()
        self._thread.join(DRAIN_S)
        if (database := self._database) is not None:
            database.cut()
        self._thread.join(CUT_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._ended():
            self._stopping.wait(self._pause_s)
            self._pause_s = min(2.0 * self._pause_s, LONGEST_PAUSE_S)
        self._progress.keep(at_once=True)

    def _ended(self) -> bool:
        """Feed until told to stop; False after a failure that does not end it all."""
        try:
            self._feed()
        except FORESEEN as err:
            self._progress.failed(" ".join(str(err).split()) or type(err).__name__)
        except Exception as err:  # a bug costs a pause, not the copy
            logger.exception("the ledger's mirror failed")
            self._progress.failed(f"{type(err).__name__}; the log has more")
        return self._stopping.is_set()

    def _feed(self) -> None:
        with (
            closing(sqlite3.connect(self._uri, uri=True, timeout=BUSY_S)) as here,
            database(self._target, timeout_s=self._timeout_s) as there,
        ):
            self._database = there
            try:
                self._follow(Feed(here, there))
            finally:
                self._database = None

    def _follow(self, feed: Feed) -> None:
        self._pause_s = FIRST_PAUSE_S
        while True:
            is_last = self._stopping.is_set()
            added = feed.step()
            self._progress.fed(feed.head.seq)
            if not added and is_last:
                return
            if not added:
                self._stopping.wait(POLL_S)
