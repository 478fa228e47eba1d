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
from services.runtime.time_left import time_left_header, time_left_s
from services.runtime.tracing import client_span

Request = TypeVar("Request")
Response = TypeVar("Response")

REPLY_SHARE: Final = 0.05
"""Share of its time that a service keeps to send its reply."""
MAX_REPLY_S: Final = 1.0
ROUNDING_SHARE: Final = 0.01
"""Time that gRPC may add to what its caller gave: it sends coarse units, rounded up."""


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
            sent = rpc(request, timeout=left_s, metadata=_metadata(left_s))
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
        stream = rpc(request, timeout=left_s, metadata=_metadata(left_s))

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
    left_s = time_left_s(context)
    if left_s is None:
        left_s = default_s
    if left_s is None:
        raise DeadlineMissingError("the call has no deadline; set one, such as timeout=30 seconds")
    reply_s = min(MAX_REPLY_S, REPLY_SHARE * left_s)
    return Deadline.after(left_s - reply_s - ROUNDING_SHARE * left_s)


def _metadata(left_s: float) -> tuple[tuple[str, str], ...]:
    return (*telemetry.outgoing_headers(), *caller_headers(), time_left_header(left_s))


def _name(rpc: Any) -> str:
    """Full method name of a stub's callable; grpc.aio has no public way to it."""
    method = rpc._method  # noqa: SLF001
    return method.decode() if isinstance(method, bytes) else str(method)
