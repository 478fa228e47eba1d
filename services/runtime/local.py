"""Calls a servicer in this process as if over gRPC: same deadline, spans and errors."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from services.core.deadline import Deadline
from services.core.errors import DeadlineSpentError, GremiumError, InternalError
from services.runtime import telemetry
from services.runtime.tracing import client_span, server_span

logger = logging.getLogger(__name__)

Request = TypeVar("Request")
Response = TypeVar("Response")
Handler = Callable[[Request, Any], Awaitable[Response]]


@dataclass(slots=True)
class LocalContext:
    """As much of a ServicerContext as servicers use."""

    deadline: Deadline
    _left: bool = False
    _callbacks: list[Callable[["LocalContext"], None]] = field(default_factory=list)

    def time_remaining(self) -> float:
        """Seconds until the caller gives up."""
        return self.deadline.left_s

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return telemetry.outgoing_headers()

    def peer(self) -> str:
        return "unix:local"

    def cancelled(self) -> bool:
        """Whether the caller left before the end."""
        return self._left

    def add_done_callback(self, callback: Callable[["LocalContext"], None]) -> None:
        """Call back when the call has ended."""
        self._callbacks.append(callback)

    def end(self, *, left: bool) -> None:
        """Tell whoever wants to know that the call has ended."""
        self._left = left
        for callback in self._callbacks:
            callback(self)


async def call_local(
    handler: Callable[[Request, Any], Awaitable[Response]],
    request: Request,
    *,
    deadline: Deadline,
    method: str,
) -> Response:
    """Call a servicer's method; `method` is its full name, `/gremium.v1.JuryService/Deliberate`.

    Raises
    ------
    GremiumError
        The error the servicer raised.
    DeadlineSpentError
        If no time is left to start the call, or it ran out underway.
    """
    return await _served(lambda context: handler(request, context), deadline, method)


async def follow_local(
    handler: Callable[[Request, Any], AsyncIterator[Response]],
    request: Request,
    *,
    deadline: Deadline,
    method: str,
    tell: Callable[[Response], None],
) -> None:
    """Call a servicer's method that streams, and `tell` each message; it must not block.

    Raises
    ------
    GremiumError
        The error the servicer raised.
    DeadlineSpentError
        If no time is left to start the call, or it ran out underway.
    """

    async def told(context: LocalContext) -> None:
        async with aclosing(cast(AsyncGenerator[Response], handler(request, context))) as messages:
            async for message in messages:
                tell(message)

    await _served(told, deadline, method)


async def _served(
    serve: Callable[[LocalContext], Awaitable[Response]], deadline: Deadline, method: str
) -> Response:
    """Serve one call under the deadline, in spans as over gRPC."""
    timeout_s = deadline.remaining()
    context = LocalContext(deadline)
    with (
        _ending(context),
        client_span(method, remaining_s=timeout_s),
        server_span(method, context, dict(telemetry.outgoing_headers())),
    ):
        try:
            async with asyncio.timeout(timeout_s) as limit:
                return await serve(context)
        except GremiumError:
            raise
        except Exception as err:
            if limit.expired():
                raise DeadlineSpentError("the deadline passed before the service answered") from err
            logger.exception("unexpected error in %s", method)
            raise InternalError("internal error") from err


@contextmanager
def _ending(context: LocalContext) -> Iterator[None]:
    """Let the context know when the block has ended."""
    left = False
    try:
        yield
    except asyncio.CancelledError:
        left = True
        raise
    finally:
        context.end(left=left)
