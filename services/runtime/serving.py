"""What happens around every handler: trace, admission, errors."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc

from services.core import errors
from services.runtime.admission import Admission
from services.runtime.callers import caller_of, serving_for
from services.runtime.status import TAKEN, abort_arguments, unimplemented_arguments
from services.runtime.tracing import server_span

logger = logging.getLogger(__name__)

FOREIGN: Final = "/grpc."
"""Health and reflection answer for themselves, whatever the load."""

Details = grpc.HandlerCallDetails
Continue = Callable[[Details], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are no message."""

    expected: str


class ServingInterceptor(grpc.aio.ServerInterceptor):
    """Turns what a servicer raises into the status its caller sees.

    A GremiumError keeps its reason and message. Anything else is a bug: it is
    logged with its traceback and reaches the caller as a bare INTERNAL.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._handlers: dict[str, Any] = {}

    async def intercept_service(self, continuation: Continue, details: Details) -> Any:
        method = details.method
        if method.startswith(FOREIGN):
            return await continuation(details)
        if method not in self._handlers:
            handler = await continuation(details)
            if handler is None:
                return None
            self._handlers[method] = self._wrapped(handler, method)
        return self._handlers[method]

    def _wrapped(self, handler: Any, method: str) -> Any:
        read = _guarded(handler.request_deserializer)
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(handler.unary_unary, method), read, handler.response_serializer
            )
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(handler.unary_stream, method), read, handler.response_serializer
            )
        raise TypeError(f"{method} takes a stream; the mesh has no such calls")

    def _unary(self, serve: Any, method: str) -> Any:
        async def around(request: Any, context: Any) -> Any:
            async with self._taken(request, context, method):
                return await serve(request, context)

        return around

    def _stream(self, serve: Any, method: str) -> Any:
        # No generator: one that is left early is finalised later, in a foreign task.
        async def around(request: Any, context: Any) -> None:
            async with (
                self._taken(request, context, method),
                aclosing(serve(request, context)) as events,
            ):
                async for event in events:
                    await _sent(context.write(event))

        return around

    @asynccontextmanager
    async def _taken(self, request: Any, context: Any, method: str) -> AsyncIterator[None]:
        """Serve one call in the block, and send its caller what the block raises."""
        headers = _headers(context)
        caller = caller_of(headers, context)
        try:
            with (
                server_span(method, context, headers),
                serving_for(caller),
                self._admission.slot(caller),
            ):
                _refuse_malformed(request)
                await _sent(context.send_initial_metadata(TAKEN))
                yield
        except errors.GremiumError as err:
            await context.abort(*abort_arguments(err))
        except NotImplementedError:
            await context.abort(*unimplemented_arguments(method))
        except Exception:
            logger.exception("unexpected error in %s", method)
            await context.abort(*abort_arguments(errors.InternalError("internal error")))


async def _sent(sending: Awaitable[None]) -> None:
    """Finish sending; a caller who left in the midst of it cancels the handler."""
    try:
        await sending
    except grpc.aio.InternalError as err:
        raise asyncio.CancelledError("the caller left") from err


def _guarded(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A deserialiser that never raises: grpc would send the parser's text as UNKNOWN."""

    def guarded(data: bytes) -> Any:
        try:
            return read(data)
        except Exception:  # noqa: BLE001 - whatever the parser raises, the caller sent no message
            return Malformed(getattr(getattr(read, "__self__", None), "__name__", "message"))

    return guarded


def _headers(context: Any) -> dict[str, str]:
    return {
        key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
    }


def _refuse_malformed(request: Any) -> None:
    if isinstance(request, Malformed):
        raise errors.InvalidRequestError(f"the bytes sent are no {request.expected}")
