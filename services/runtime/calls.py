"""Calls between the services: the only place that sets a timeout."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import grpc

from services.core.deadline import Deadline
from services.core.errors import DeadlineMissingError
from services.runtime import telemetry
from services.runtime.callers import caller_headers
from services.runtime.leaving import leaving
from services.runtime.status import error_from_rpc
from services.runtime.tracing import client_span

Request = TypeVar("Request")
Response = TypeVar("Response")

REPLY_SHARE: Final = 0.05
"""Share of its time that a service keeps to send its reply."""
MAX_REPLY_S: Final = 1.0
ROUNDING_SHARE: Final = 0.01
"""Time that gRPC may add to what its caller gave: it sends coarse units, rounded up."""
UNITS_MS: Final = ((1.0, 1), (10.0, 10), (100.0, 100), (1_000.0, 1_000), (10_000.0, 10_000))
"""Seconds below which gRPC sends multiples of so many milliseconds."""
LONG_UNIT_MS: Final = 600_000
"""What it sends of longer times than those: full minutes, hundreds of seconds and the like."""
SLACK_MS: Final = 2
"""What a full unit is sent short by, for its own sum of now and timeout is rounded up too."""


async def call(
    rpc: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
    request: Request,
    *,
    deadline: Deadline,
) -> Response:
    """Call a mesh service with what is left of `deadline`, inside the current trace.

    Raises
    ------
    GremiumError
        The error the callee raised, with its type and reason intact.
    DeadlineSpentError
        If no time is left to start the call, or it ran out underway.
    """
    left_s = deadline.remaining()
    with client_span(_name(rpc), remaining_s=left_s):
        try:
            sent = rpc(request, timeout=sendable_s(left_s), metadata=_metadata())
            return await leaving(sent, sent)
        except grpc.aio.AioRpcError as err:
            raise error_from_rpc(err) from err


async def follow(
    rpc: grpc.aio.UnaryStreamMultiCallable[Request, Response],
    request: Request,
    *,
    deadline: Deadline,
    tell: Callable[[Response], None],
) -> None:
    """Call a mesh service that streams, and `tell` each message as it comes.

    Keeps every promise of `call`; leaving it stops the callee. `tell` must not
    block. No generator: its span would end in whatever task finalises it.

    Raises
    ------
    GremiumError
        The error the callee raised, with its type and reason intact.
    DeadlineSpentError
        If no time is left to start the call, or it ran out underway.
    """
    left_s = deadline.remaining()
    with client_span(_name(rpc), remaining_s=left_s):
        stream = rpc(request, timeout=sendable_s(left_s), metadata=_metadata())

        async def read() -> None:
            async for message in stream:
                tell(message)

        try:
            await leaving(stream, read())
        except grpc.aio.AioRpcError as err:
            raise error_from_rpc(err) from err
        finally:
            stream.cancel()


def deadline_from(context: Any, *, default_s: float | None = None) -> Deadline:
    """The deadline by which a servicer must have answered, a little before its caller's.

    Raises
    ------
    DeadlineMissingError
        If the caller set none and there is no default.
    """
    left_s = context.time_remaining()
    if left_s is None:
        left_s = default_s
    if left_s is None:
        raise DeadlineMissingError("the call has no deadline; set one, such as timeout=30 seconds")
    reply_s = min(MAX_REPLY_S, REPLY_SHARE * left_s)
    return Deadline.after(left_s - reply_s - ROUNDING_SHARE * left_s)


def _metadata() -> tuple[tuple[str, str], ...]:
    return (*telemetry.outgoing_headers(), *caller_headers())


def sendable_s(seconds: float) -> float:
    """A timeout that leaves the callee at most `seconds`.

    gRPC sends about three digits and rounds up, by which a callee would have
    more time than its caller: core/lib/transport/timeout_encoding.cc.
    """
    unit_ms = next((unit for below, unit in UNITS_MS if seconds < below), LONG_UNIT_MS)
    whole_ms = int(seconds * 1000) // unit_ms * unit_ms - SLACK_MS
    return whole_ms / 1000 if whole_ms > 0 else seconds


def _name(rpc: Any) -> str:
    """Full method name of a stub's callable; grpc.aio has no public way to it."""
    method = rpc._method  # noqa: SLF001
    return method.decode() if isinstance(method, bytes) else str(method)
