"""The one thread that writes: it commits what waits in groups, and answers after COMMIT."""

import contextlib
import logging
import sqlite3
import threading
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


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """Runs jobs on a connection of its own, in order, several to a transaction.

    A job that raises changes nothing and harms no other job of its group.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[Value]) -> Future[Value]:
        """Queue a job. Its future settles after COMMIT; cancelled before its turn, it never runs.

        Raises
        ------
        sqlite3.ProgrammingError
            If the writer is closed.
        """
        if self._closed:
            raise sqlite3.ProgrammingError("the ledger is closed")
        job = _Job(work)
        self._queue.put(job)
        return job.future

    def close(self, *, timeout_s: float) -> bool:
        """Commit everything that waits, then stop. Returns whether that was done in time."""
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while group := self._next_group():
            running = [job for job in group if job.future.set_running_or_notify_cancel()]
            if running:
                self._commit(running)
        self._connection.close()

    def _next_group(self) -> list[_Job]:
        """What waits, at least one job; empty when the writer is to stop."""
        group: list[_Job] = []
        with contextlib.suppress(Empty):
            while len(group) < GROUP:
                job = self._queue.get(block=not group)
                if job is None:
                    self._queue.put(None)
                    break
                group.append(job)
        return group

    def _commit(self, group: list[_Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            ends = [_end(job, self._connection) for job in group]
            self._connection.execute("COMMIT")
        except sqlite3.Error as err:
            logger.exception("%d records were not committed", len(group))
            self._roll_back()
            ends = [err] * len(group)
        for job, end in zip(group, ends, strict=True):
            _settle(job.future, end)

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


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
    if isinstance(end, Exception):
        future.set_exception(end)
    else:
        future.set_result(end)
