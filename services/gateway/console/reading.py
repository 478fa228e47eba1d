"""Reads the ledger for a page: a connection of its own, and never longer than the page may take."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from gremium.v1 import ensemble_pb2, ledger_pb2, manifest_pb2
from services.core.errors import LedgerError
from services.ledger import queries

LOOK_EVERY: Final = 2_000
"""Steps of SQLite between two looks at the clock."""
WAIT_S: Final = 0.5
"""Longest wait for a program that holds the file."""
PAGE: Final = 500
"""Manifests read at once."""


class TooSlowError(Exception):
    """A page took longer than it may."""


@dataclass(eq=False)
class Limit:
    """Until when a page may work; it asks again and again."""

    until: float
    """By the monotonic clock."""
    _stopped: bool = field(default=False)

    @classmethod
    def after(cls, seconds: float) -> "Limit":
        return cls(time.monotonic() + seconds)

    def stop(self) -> None:
        """Nobody waits for the page any more."""
        self._stopped = True

    @property
    def over(self) -> bool:
        return self._stopped or time.monotonic() > self.until

    def check(self) -> None:
        """Raise TooSlowError once the time is over."""
        if self.over:
            raise TooSlowError("the page took too long")


@dataclass(frozen=True, slots=True)
class Total:
    """What one ensemble did in one stretch of time."""

    ensemble: str
    begins_s: int
    """Seconds since the epoch."""
    requests: int
    cost_usd: float
    failed: int


@dataclass(frozen=True, slots=True)
class Reading:
    """An open ledger."""

    connection: sqlite3.Connection | None
    """None: there is no ledger to read, as where nothing is recorded."""
    limit: Limit

    def manifest(self, request_id: str) -> manifest_pb2.Manifest | None:
        """One whole manifest; None without a ledger.

        Raises
        ------
        UnknownRequestError
            If the ledger has no such request.
        """
        if self.connection is None:
            return None
        return queries.manifest(self.connection, request_id, now_ns=time.time_ns())

    def proof(self, request_id: str) -> ledger_pb2.Attestation | None:
        """Its latest record as it was signed; None while it runs, and without a ledger."""
        if self.connection is None:
            return None
        return queries.attestation(self.connection, request_id)

    def page(
        self, request: ensemble_pb2.ListManifestsRequest
    ) -> ensemble_pb2.ListManifestsResponse:
        """One page of manifests, newest first, without their answers."""
        if self.connection is None:
            return ensemble_pb2.ListManifestsResponse()
        return queries.manifests(self.connection, request)

    def latest(
        self, *, ensemble: str, since: datetime, most: int
    ) -> Iterator[manifest_pb2.Manifest]:
        """Answered requests since then, newest first, at most so many."""
        request = ensemble_pb2.ListManifestsRequest(
            ensemble=ensemble,
            state=manifest_pb2.MANIFEST_STATE_COMPLETED,
            page_size=min(PAGE, most),
        )
        start_ns, left = int(since.timestamp() * 1e9), most
        while left > 0:
            found = self.page(request)
            for manifest in found.manifests:
                self.limit.check()
                if left == 0 or manifest.start_time.ToNanoseconds() < start_ns:
                    return
                left -= 1
                yield manifest
            request.page_token = found.next_page_token
            if not request.page_token:
                return

    def totals(self, *, since: datetime, every_s: int) -> list[Total]:
        """What each ensemble did since then, by stretches of so many seconds, oldest first."""
        if self.connection is None:
            return []
        rows = self.connection.execute(
            "SELECT ensemble, start_ns / ? AS stretch, COUNT(*), SUM(cost_micro_usd),"
            " SUM(state = ?) FROM manifests WHERE start_ns >= ?"
            " GROUP BY stretch, ensemble ORDER BY stretch, ensemble",
            (
                every_s * 10**9,
                manifest_pb2.MANIFEST_STATE_FAILED,
                int(since.timestamp()) * 10**9,
            ),
        )
        return [
            Total(name, stretch * every_s, requests, cost / 1e6, failed)
            for name, stretch, requests, cost, failed in rows
        ]


@contextmanager
def reading(path: Path, limit: Limit) -> Iterator[Reading]:
    """Read a ledger in the block; it may not exist.

    Raises
    ------
    TooSlowError
        If the time is over.
    LedgerError
        If the file cannot be read.
    """
    if not path.is_file():
        yield Reading(None, limit)
        return
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_S)) as connection:
            connection.set_progress_handler(lambda: limit.over, LOOK_EVERY)
            yield Reading(connection, limit)
    except sqlite3.Error as err:
        if limit.over:
            raise TooSlowError("the page took too long") from err
        raise LedgerError(f"the ledger cannot be read: {err}") from err
