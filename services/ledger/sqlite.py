"""The ledger: what was asked, how it ended, and what people said of it, in one SQLite file."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from gremium.v1.ensemble_pb2 import AskResponse, ListManifestsRequest, ListManifestsResponse
from gremium.v1.manifest_pb2 import Feedback, Manifest
from services.core.errors import LedgerError
from services.ledger import entries, queries, records
from services.ledger.lock import owning
from services.ledger.schema import migrate
from services.ledger.writer import Work, Writer
from services.runtime.wire import timestamp_to_wire

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

WAIT_S: Final = 15.0
"""Longest wait for one record to be committed or read."""
FLUSH_S: Final = 30.0
"""Longest wait for the last records when the ledger is closed."""
BUSY_S: Final = 5.0
"""Longest wait for another program that holds the file, such as a backup."""


@asynccontextmanager
async def open_ledger(path: Path, *, busy_s: float = BUSY_S) -> AsyncIterator["Ledger"]:
    """Open a ledger as its only owner; create it if need be. Its end commits what waits.

    Intents that a dead process left open fail with `INTERRUPTED`.

    Raises
    ------
    LedgerError
        If the path cannot be used, or another process has the ledger open.
    """
    with ExitStack() as held:
        with _naming(path):
            _create(path)
            held.enter_context(owning(path))
            writer = Writer(await asyncio.to_thread(_prepared, path, busy_s))
        try:
            yield Ledger(path, writer, busy_s=busy_s)
        finally:
            if not await asyncio.to_thread(writer.close, timeout_s=FLUSH_S):
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


def _prepared(path: Path, busy_s: float) -> sqlite3.Connection:
    """A connection that writes, on a file of the newest version without open intents."""
    connection = sqlite3.connect(
        path, timeout=busy_s, isolation_level=None, check_same_thread=False
    )
    with ExitStack() as on_error:
        on_error.callback(connection.close)
        migrate(connection)
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise ValueError(f"its file system cannot keep a write-ahead log (got {mode})")
        connection.execute("PRAGMA synchronous = FULL")
        _interrupt(connection)
        on_error.pop_all()
    return connection


def _interrupt(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if interrupted := records.interrupt(connection):
        logger.warning("%d requests were interrupted when the ledger was last open", interrupted)
    connection.execute("COMMIT")


class Ledger:
    """Records of one file. A method returns only after its record is on disk."""

    def __init__(self, path: Path, writer: Writer, *, busy_s: float) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        self._writer = writer
        self._busy_s = busy_s

    async def begin(self, manifest: Manifest, *, fingerprint: str) -> AskResponse | None:
        """Record an intent. A request that was recorded before gets its reply again.

        `fingerprint` tells the request's body. A caller that is cancelled here
        leaves no intent behind. A request that failed by what passes before any
        model was asked starts anew; until then its failure can be read.

        Raises
        ------
        GremiumError
            The recorded error, if the request failed.
        RequestInProgressError
            If the first call with this request_id still runs.
        RequestIdReusedError
            If it had another fingerprint.
        LedgerError
            If the intent could not be committed.
        """
        work = partial(records.begin, entry=entries.begun(manifest), fingerprint=fingerprint)
        begun = self._submit(work)
        try:
            return await _settled(asyncio.wrap_future(begun))
        except (asyncio.CancelledError, LedgerError):
            begun.add_done_callback(partial(self._withdraw, manifest.request_id))
            raise

    def _withdraw(self, request_id: str, begun: "Future[AskResponse | None]") -> None:
        if begun.cancelled() or begun.exception() is not None or begun.result() is not None:
            return
        with suppress(LedgerError):
            self._submit(partial(records.withdraw, request_id=request_id))

    async def finish(self, reply: AskResponse) -> None:
        """Record the reply of a request that was begun; it is recorded even if cancelled here.

        Raises
        ------
        UnknownRequestError
            If the request has no open intent.
        LedgerError
            If the record could not be committed.
        """
        await self._write(partial(records.end, entry=entries.completed(reply)))

    async def fail(self, manifest: Manifest) -> None:
        """Record the error of a request that was begun; it is recorded even if cancelled here.

        Raises
        ------
        UnknownRequestError
            If the request has no open intent.
        LedgerError
            If the record could not be committed.
        """
        await self._write(partial(records.end, entry=entries.failed(manifest)))

    async def add_feedback(self, request_id: str, feedback: Feedback) -> Feedback:
        """Record feedback, and return it with the time it was submitted.

        Raises
        ------
        UnknownRequestError
            If the ledger has no such request.
        LedgerError
            If the record could not be committed.
        """
        stamped = Feedback()
        stamped.CopyFrom(feedback)
        stamped.submit_time.CopyFrom(timestamp_to_wire(datetime.now(UTC)))
        row = stamped.SerializeToString()
        await self._write(partial(records.add_feedback, request_id=request_id, feedback=row))
        return stamped

    async def recorded(self, request_id: str, *, fingerprint: str) -> AskResponse | None:
        """What a request replied that was recorded before; None if it is new, or starts anew.

        Raises
        ------
        GremiumError
            As `begin` does.
        """
        work = partial(records.recorded, request_id=request_id, fingerprint=fingerprint)
        return await self._read(work)

    async def charges(self, since: datetime) -> list[queries.Charge]:
        """What all requests count for in budgets over time that began at `since` or later.

        Raises
        ------
        LedgerError
            If the file could not be read.
        """
        return await self._read(partial(queries.charges, since=since))

    async def manifest(self, request_id: str) -> Manifest:
        """One manifest with its answers and its newest feedback.

        Raises
        ------
        UnknownRequestError
            If the ledger has no such request.
        LedgerError
            If the file could not be read.
        """
        return await self._read(partial(queries.manifest, request_id=request_id))

    async def manifests(self, request: ListManifestsRequest) -> ListManifestsResponse:
        """One page of manifests, newest first, without their answers.

        Raises
        ------
        InvalidRequestError
            If the page token is foreign.
        LedgerError
            If the file could not be read.
        """
        return await self._read(partial(queries.manifests, request=request))

    def _submit(self, work: Work[Value]) -> "Future[Value]":
        try:
            return self._writer.submit(work)
        except sqlite3.ProgrammingError as err:
            raise LedgerError(str(err)) from err

    async def _write(self, work: Work[Value]) -> Value:
        return await _settled(asyncio.shield(asyncio.wrap_future(self._submit(work))))

    async def _read(self, work: Work[Value]) -> Value:
        return await _settled(asyncio.to_thread(self._query, work))

    def _query(self, work: Work[Value]) -> Value:
        with closing(sqlite3.connect(self._uri, uri=True, timeout=self._busy_s)) as connection:
            return work(connection)


async def _settled(record: Awaitable[Value]) -> Value:
    """What a job gives, within a limit."""
    try:
        async with asyncio.timeout(WAIT_S):
            return await record
    except TimeoutError as err:
        raise LedgerError(f"the ledger did not answer within {WAIT_S:g} s") from err
    except sqlite3.Error as err:
        raise LedgerError(f"the ledger failed: {err}") from err
