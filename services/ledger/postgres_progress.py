"""How far the copy is: told in the log when that changes its kind, and noted now and then."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from services.ledger.postgres_mark import Mark

logger = logging.getLogger(__name__)

NOTE_S: Final = 1.0
"""Shortest time between two notes of how far the copy is: each is a commit."""


class Progress:
    """What the mirror did last. For one thread."""

    def __init__(self, start: Mark, note: Callable[[Mark], object]) -> None:
        """`start` is what was noted when the ledger was last open."""
        self.mark = start
        self._note, self._noted = note, start
        self._next_note_s = 0.0

    def fed(self, seq: int) -> None:
        """PostgreSQL has all records up to `seq`."""
        if self.mark.error:
            down_s = (time.time_ns() - self.mark.since_ns) / 1e9
            logger.info("PostgreSQL takes records again, after %.1f s; it has %d", down_s, seq)
        if self.mark.error or seq != self.mark.seq:
            self.mark = Mark(seq, time.time_ns())
        self.keep(at_once=not self.mark.error and bool(self._noted.error))

    def failed(self, why: str) -> None:
        """It cannot be fed."""
        if why != self.mark.error:
            logger.warning("PostgreSQL gets no records; they stay here: %s", why)
            since_ns = self.mark.since_ns if self.mark.error else time.time_ns()
            self.mark = replace(self.mark, error=why, since_ns=since_ns)
        self.keep(at_once=why != self._noted.error)

    def keep(self, *, at_once: bool) -> None:
        """Note what was not yet, unless that was done a moment ago."""
        if self.mark == self._noted or (not at_once and time.monotonic() < self._next_note_s):
            return
        self._note(self.mark)
        self._noted = self.mark
        self._next_note_s = time.monotonic() + NOTE_S
