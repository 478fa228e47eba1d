"""Which requests this gateway answers now: a request is worked on while anybody waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from gremium.v1.ensemble_pb2 import AskRequest, AskResponse
from services.core.deadline import Deadline
from services.core.errors import CancelledRequestError

STOP_S: Final = 2.0
"""Longest wait for the record of a request that nobody waits for any more."""

Work = Callable[[], Coroutine[Any, Any, AskResponse]]


@dataclass
class _Running:
    """One request that is worked on."""

    asked: AskRequest
    task: asyncio.Task[AskResponse]
    waiting: int = 0
    """Calls that wait for its end."""


@dataclass
class Underway:
    """Requests by request_id, from their first call until their end. One event loop, no locks.

    The work is the request's, not the first call's: who hangs up stops it only
    if nobody else waits for it.
    """

    _running: dict[str, _Running] = field(default_factory=dict)

    def runs(self, asked: AskRequest, request_id: str) -> bool:
        """Whether the same request is worked on; one with another body is another."""
        running = self._running.get(request_id)
        return running is not None and running.asked == asked

    async def first(self, asked: AskRequest, request_id: str, work: Work) -> AskResponse:
        """What the work comes to, which others may wait for, too.

        It is not to be waited for by others if the request_id stands for
        another request already.
        """
        running = _Running(asked, asyncio.create_task(work()))
        if self._running.setdefault(request_id, running) is running:
            running.task.add_done_callback(partial(self._forget, request_id))
        async with _waiting(running):
            return await asyncio.shield(running.task)

    async def ended(
        self, request_id: str, *, deadline: Deadline
    ) -> asyncio.Task[AskResponse] | None:
        """The work on a request, as soon as that has ended; None if it did not before the deadline."""
        running = self._running[request_id]
        async with _waiting(running):
            done, _ = await asyncio.wait({running.task}, timeout=deadline.left_s)
            return running.task if done else None

    def _forget(self, request_id: str, ended: asyncio.Task[AskResponse]) -> None:
        del ended
        del self._running[request_id]


def told_again(first: asyncio.Task[AskResponse]) -> AskResponse:
    """What work came to that has ended, for one who waited for it beside the first caller.

    Raises
    ------
    CancelledRequestError
        If it was stopped.
    Exception
        What it failed with.
    """
    if first.cancelled():
        raise CancelledRequestError("the request was stopped: nobody waited for it any more")
    again = AskResponse()
    again.CopyFrom(first.result())
    again.replayed = True
    return again


@asynccontextmanager
async def _waiting(running: _Running) -> AsyncIterator[None]:
    """Wait for a request in the block; the last one to leave stops it."""
    running.waiting += 1
    try:
        yield
    finally:
        running.waiting -= 1
        if not running.waiting and not running.task.done():
            running.task.cancel()
            await asyncio.wait({running.task}, timeout=STOP_S)
