"""The one thread that writes: it commits what waits in groups, and answers after COMMIT."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

logger = logging.getLogger(__name__)

Value = TypeVar("Value")
Work = Callable[[sqlite3.Connection], Value]

GROUP: Final = 32
"""Most jobs that share a COMMIT."""
PATIENCE_S: Final = 0.05
"""Longest wait of a job that nobody waits for, to share the COMMIT of another."""
RETRY_S: Final = 0.2
"""Pause after a COMMIT that failed, before what has to last is tried again."""
HELD: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Codes of a file that another program holds: it soon lets go of it."""


class DelayedError(sqlite3.OperationalError):
    """The disk refuses what has to last: it is committed as soon as the disk takes it."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    patient: bool
    lasting: bool
    future: Future[Any] = field(default_factory=Future)

    def starts(self) -> bool:
        """Whether it is to be run; one that is run again has started."""
        again = self.future.running() or (self.future.done() and not self.future.cancelled())
        return again or self.future.set_running_or_notify_cancel()


class Writer:
    """Runs jobs on a connection of its own, in order, several to a transaction.

    A job that raises changes nothing and harms no other job of its group.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._left: list[_Job] = []
        """What has to last and was not committed yet; it comes before all that is queued."""
        self.trouble = ""
        """Why nothing can be committed now; empty while it can."""
        self._failed_s = 0.0
        self._closed = False
        self._last_try = float("inf")
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(
        self, work: Work[Value], *, patient: bool = False, lasting: bool = False
    ) -> Future[Value]:
        """Queue a job. Its future settles after COMMIT; cancelled before its turn, it never runs.

        A `patient` job waits a moment for another one's COMMIT. A `lasting` one
        that could not be committed stays in the queue until it is; unless it is
        patient, its future says at once that the disk refuses (`DelayedError`).

        Raises
        ------
        sqlite3.ProgrammingError
            If the writer is closed.
        """
        if self._closed:
            raise sqlite3.ProgrammingError("the ledger is closed")
        job = _Job(work, patient, lasting)
        self._queue.put(job)
        return job.future

    def close(self, *, timeout_s: float) -> bool:
        """Commit everything that waits, then stop. Returns whether that was done in time."""
        self._last_try = time.monotonic() + timeout_s
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while group := self._next_group():
            running = [job for job in group if job.starts()]
            if running:
                self._commit(running)
            if self._left:
                time.sleep(RETRY_S)
            if self._left and time.monotonic() > self._last_try:
                break
        for job in self._left:
            _settle(job.future, sqlite3.OperationalError("the ledger was closed before"))
        self._connection.close()

    def _next_group(self) -> list[_Job]:
        """What is left over and what waits, at least one job; empty when the writer is to stop."""
        group, self._left = self._left, []
        most, until_s = len(group) + GROUP, time.monotonic() + PATIENCE_S
        with contextlib.suppress(Empty):
            while len(group) < most:
                job = self._queue.get(timeout=_wait_s(group, until_s))
                if job is None:
                    self._queue.put(None)
                    break
                until_s = until_s if group else time.monotonic() + PATIENCE_S
                group.append(job)
        return group

    def _commit(self, group: list[_Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            ends = [_end(job, self._connection) for job in group]
            self._connection.execute("COMMIT")
        except sqlite3.Error as err:
            self._roll_back()
            ends = [err] * len(group)
        self._note([end for end in ends if _is_of_the_file(end)])
        self._left = [job for job, end in zip(group, ends, strict=True) if _lasts(job, end)]
        for job, end in zip(group, ends, strict=True):
            if not _lasts(job, end):
                _settle(job.future, end)
            elif not job.patient and not _is_held(end):
                _settle(job.future, DelayedError(str(end)))
        if self.trouble and not self._left and not self._closed:
            self._left = [_Job(_touch, patient=True, lasting=False)]

    def _note(self, failures: list[sqlite3.Error]) -> None:
        """Say once that the file takes nothing, and once that it does again."""
        if failures and not self.trouble:
            self._failed_s, first = time.monotonic(), failures[0]
            logger.error("%d records not committed: %s", len(failures), first, exc_info=first)
        elif self.trouble and not failures:
            lasted_s = time.monotonic() - self._failed_s
            logger.info("records are committed again, after %.1f s", lasted_s)
        self.trouble = str(failures[0]) if failures else ""

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _wait_s(group: list[_Job], until_s: float) -> float | None:
    """Seconds to wait for one more job; None: as long as it takes."""
    if not group:
        return None
    patient = all(job.patient and not job.future.running() for job in group)
    return max(0.0, until_s - time.monotonic()) if patient else 0.0


def _lasts(job: _Job, end: Any) -> bool:
    """Whether a job that ended so is to be tried again."""
    return job.lasting and _is_of_the_file(end)


def _is_of_the_file(end: Any) -> bool:
    """Whether what failed is the file, and not the job."""
    own = getattr(end, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return isinstance(end, sqlite3.OperationalError) and not own


def _is_held(end: Any) -> bool:
    """Whether another program's hold on the file is all that is wrong."""
    code: int = getattr(end, "sqlite_errorcode", sqlite3.SQLITE_FULL)
    return code & 0xFF in HELD  # the rest tells more of it


def _touch(connection: sqlite3.Connection) -> None:
    """Write what is there already, to find out whether the disk takes anything again."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {version}")


def _end(job: _Job, connection: sqlite3.Connection) -> Any:
    """What a job returned or raised; its changes stay only if it returned."""
    connection.execute("SAVEPOINT job")
    try:
        end = job.work(connection)
    except Exception as err:  # its caller gets it; the thread outlives it
        if not connection.in_transaction:  # SQLite gave up the whole group, as on a full disk
            raise sqlite3.OperationalError(str(err)) from err
        connection.execute("ROLLBACK TO job")
        end = err
    connection.execute("RELEASE job")
    return end


def _settle(future: Future[Any], end: Any) -> None:
    """Tell whoever waits; one who was told already hears no more."""
    if future.done():
        return
    if isinstance(end, Exception):
        future.set_exception(end)
    else:
        future.set_result(end)
