"""The ledger: what was asked, how it ended, and what people said of it, in one SQLite file."""

import asyncio
import logging
import sqlite3
import time
from concurrent.futures import Future
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from gremium.v1.ensemble_pb2 import AskResponse, ListManifestsRequest, ListManifestsResponse
from gremium.v1.ledger_pb2 import RECORD_KIND_FEEDBACK, Attestation, LedgerMode, RecordKind
from gremium.v1.manifest_pb2 import Feedback, Manifest
from gremium.v1.types_pb2 import Prompt
from services.core.errors import LedgerError
from services.ledger import ends, entries, postgres_mark, queries, records, replies, retention
from services.ledger.postgres_mark import Mark
from services.ledger.queued import Queued
from services.ledger.settling import Settling
from services.ledger.terms import MODES, Terms
from services.ledger.waiting import WAIT_S, settled
from services.ledger.writer import Work, Writer
from services.runtime.wire import timestamp_to_wire

logger = logging.getLogger(__name__)

Value = TypeVar("Value")


class Ledger:
    """Records of one file.

    In strict mode a method that records returns only after that is on disk. In
    relaxed mode intents and ends are queued, and kept in memory until they are.
    """

    def __init__(self, path: Path, writer: Writer, *, terms: Terms, busy_s: float) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        self._path = path
        self._writer = writer
        self._terms = terms
        self._busy_s = busy_s
        self._settling = Settling()
        self._queued = Queued(terms.most_queued)

    @property
    def path(self) -> Path:
        """The file, for whoever reads it beside."""
        return self._path

    @property
    def mode(self) -> LedgerMode.ValueType:
        """How surely a request is recorded by the time of its reply."""
        return MODES[self._terms.mode]

    @property
    def records(self) -> bool:
        """Whether anything is kept at all."""
        return self._terms.mode != "off"

    @property
    def trouble(self) -> str:
        """Why requests cannot be recorded now; empty while they can, or have room to wait."""
        can_wait = self._terms.mode == "relaxed" and not self._queued.is_full
        return "" if can_wait else self._writer.trouble

    async def begin(self, manifest: Manifest, *, fingerprint: str) -> AskResponse | None:
        """Record an intent. A request that was recorded before gets its reply again.

        `fingerprint` tells the request's body. A caller that is cancelled here
        leaves no intent behind. In relaxed mode the intent is queued: whether the
        request was recorded before, `recorded` has to tell.

        Raises
        ------
        GremiumError
            The recorded error, if the request failed; or why it is not begun:
            it still runs, had another fingerprint, or ended too long ago.
        LedgerError
            If the intent could not be committed.
        """
        work = partial(
            records.begin,
            entry=entries.begun(manifest),
            manifest=manifest.SerializeToString(),
            fingerprint=fingerprint,
            now_ns=time.time_ns(),
        )
        if manifest.request_id not in self._queued and self._may_queue(manifest.request_id):
            self._queued.add(manifest.request_id, self._submit(work, patient=True, lasting=True))
            return None
        begun = self._submit(work)
        try:
            return await settled(asyncio.wrap_future(begun))
        except (asyncio.CancelledError, LedgerError):
            begun.add_done_callback(partial(self._withdraw, manifest.request_id))
            raise

    def _withdraw(self, request_id: str, begun: "Future[AskResponse | None]") -> None:
        if begun.cancelled() or begun.exception() is not None or begun.result() is not None:
            return
        with suppress(LedgerError):
            self._submit(partial(records.withdraw, request_id=request_id))

    def spent(self, manifest: Manifest) -> None:
        """Keep what a request that runs has spent so far; waits for nothing, and owns `manifest`.

        If the process dies, the request's end says so.
        """
        with suppress(LedgerError):
            self._submit(partial(records.spent, manifest=manifest), patient=True)

    async def finish(self, reply: AskResponse, prompt: Prompt | None = None) -> None:
        """Record the reply of a request that was begun; it is recorded even if cancelled here.

        A file that is held is waited for, if need be longer than the caller does.
        A disk that refuses is told of at once, and waited for all the same. The
        prompt is kept where the terms say so.

        Raises
        ------
        UnknownRequestError
            If the request has no open intent.
        LedgerError
            If the record could not be committed, or not yet.
        """
        told, request_id = reply.SerializeToString(), reply.manifest.request_id
        queued = self._may_queue(request_id)
        ending = self._settling.then(
            partial(ends.told, told, prompt, terms=self._terms),
            partial(self._end, queued=queued),
            n_bytes=len(told) + (prompt.ByteSize() if prompt is not None else 0),
        )
        if queued:
            self._queued.add(request_id, ending)
        else:
            await settled(asyncio.shield(asyncio.wrap_future(ending)))

    def _end(self, ended: ends.End, *, queued: bool) -> "Future[None]":
        work = partial(records.finish, ended=ended, signer=self._terms.signer)
        return self._submit(work, patient=queued, lasting=True)

    async def fail(self, manifest: Manifest, prompt: Prompt | None = None) -> None:
        """Record the error of a request that was begun; it is recorded even if cancelled here.

        Raises
        ------
        UnknownRequestError
            If the request has no open intent.
        LedgerError
            If the record could not be committed.
        """
        await self.finish(AskResponse(manifest=manifest), prompt)

    async def add_feedback(self, request_id: str, feedback: Feedback) -> Feedback:
        """Record feedback, and return it as recorded, with the time it was submitted.

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
        said = self._settling.then(
            partial(self._terms.texts.said, stamped),
            partial(self._add, RECORD_KIND_FEEDBACK, request_id),
            n_bytes=stamped.ByteSize(),
        )
        await settled(asyncio.shield(asyncio.wrap_future(said)))
        return stamped

    async def append(self, kind: RecordKind.ValueType, request_id: str, payload: bytes) -> None:
        """Record what is known of a request beside its end: a serialised message of that kind.

        Raises
        ------
        UnknownRequestError
            If the ledger has no such request.
        LedgerError
            If the record could not be committed.
        """
        added = self._add(kind, request_id, payload)
        await settled(asyncio.shield(asyncio.wrap_future(added)))

    def _add(self, kind: RecordKind.ValueType, request_id: str, payload: bytes) -> "Future[None]":
        work = partial(
            records.add,
            kind=kind,
            request_id=request_id,
            payload=payload,
            signer=self._terms.signer,
            now_ns=time.time_ns(),
        )
        return self._submit(work)

    async def recorded(self, request_id: str, *, fingerprint: str) -> AskResponse | None:
        """What a request replied that was recorded before; None if it is new, or starts anew.

        One that failed by what passes before any model was asked starts anew;
        until then its failure can be read.

        Raises
        ------
        GremiumError
            As `begin` does.
        """
        work = partial(
            records.recorded,
            request_id=request_id,
            fingerprint=fingerprint,
            now_ns=time.time_ns(),
        )
        return await self._read(work, after=request_id)

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
        work = partial(queries.manifest, request_id=request_id, now_ns=time.time_ns())
        return await self._read(work, after=request_id)

    async def attestation(self, request_id: str) -> Attestation | None:
        """The record of how a request ended; None while it runs, and of one that is unknown.

        Raises
        ------
        LedgerError
            If the file could not be read.
        """
        work = partial(queries.attestation, request_id=request_id)
        return await self._read(work, after=request_id)

    async def manifests(self, request: ListManifestsRequest) -> ListManifestsResponse:
        """One page of manifests as recorded, newest first, without their answers.

        Raises
        ------
        InvalidRequestError
            If the page token is foreign.
        LedgerError
            If the file could not be read.
        """
        return await self._read(partial(queries.manifests, request=request))

    async def forget(self) -> int:
        """Remove replies that expired, from the disk as well; returns how many.

        Raises
        ------
        LedgerError
            If they could not be removed.
        """
        forgotten = await self._write(partial(replies.forget, now_ns=time.time_ns()))
        if forgotten:
            await settled(asyncio.to_thread(self._scrub))
        return forgotten

    def note_mirror(self, mark: Mark) -> None:
        """Note soon how far the copy in PostgreSQL is; from any thread."""
        with suppress(LedgerError):
            self._submit(partial(postgres_mark.put, mark=mark), patient=True)

    async def prune(self, keep: retention.Keep) -> int:
        """Remove the oldest records as far as `keep` lets them go; returns how many.

        Raises
        ------
        LedgerError
            If that could not be recorded, or not all of them be removed; the next call goes on.
        """
        buried = await self._write(partial(retention.bury, keep=keep, signer=self._terms.signer))
        gone = 0
        while cleared := await self._write(retention.clear):
            gone += cleared
        if gone:
            await settled(asyncio.to_thread(self._scrub))
        return buried

    def _scrub(self) -> None:
        """Empty the write-ahead log: what it holds of removed rows is overwritten nowhere else."""
        with closing(sqlite3.connect(self._path, timeout=self._busy_s)) as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            logger.info("the log of ledger %s is in use; it is emptied later", self._path)

    def _may_queue(self, request_id: str) -> bool:
        """Whether a record may wait by itself: in relaxed mode, of not too many requests."""
        has_room = not self._queued.is_full or request_id in self._queued
        return self._terms.mode == "relaxed" and has_room

    def _submit(
        self, work: Work[Value], *, patient: bool = False, lasting: bool = False
    ) -> "Future[Value]":
        try:
            return self._writer.submit(work, patient=patient, lasting=lasting)
        except sqlite3.ProgrammingError as err:
            raise LedgerError(str(err)) from err

    async def flush(self, *, within_s: float) -> None:
        """Wait until all that is to be recorded is on disk, or cannot be now; no longer than that."""
        with suppress(TimeoutError, LedgerError):
            async with asyncio.timeout(within_s):
                await asyncio.to_thread(self._settling.wait, within_s)
                await self._write(lambda _: None)

    async def close(self, *, within_s: float) -> bool:
        """Commit what waits and stop. Returns whether that was done in time."""
        all_submitted = await asyncio.to_thread(self._settling.close, timeout_s=within_s)
        return await asyncio.to_thread(self._writer.close, timeout_s=within_s) and all_submitted

    async def _write(self, work: Work[Value]) -> Value:
        submitted = self._submit(work)
        return await settled(asyncio.shield(asyncio.wrap_future(submitted)))

    async def _read(self, work: Work[Value], *, after: str = "") -> Value:
        """Read what is on disk; of a request `after` which is asked, what is on its way there, too."""
        await self._queued.wait_for(after, timeout_s=WAIT_S)
        return await settled(asyncio.to_thread(self._query, work))

    def _query(self, work: Work[Value]) -> Value:
        with closing(sqlite3.connect(self._uri, uri=True, timeout=self._busy_s)) as connection:
            return work(connection)
