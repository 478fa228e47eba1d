"""What happens around every handler: trace, admission, errors."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

import grpc

from services.core import errors
from services.runtime.admission import Admission
from services.runtime.callers import caller_of, serving_for
from services.runtime.parsing import Read, parsed
from services.runtime.status import TAKEN, abort_arguments, unimplemented_arguments
from services.runtime.tracing import server_span

logger = logging.getLogger(__name__)

FOREIGN: Final = "/grpc."
"""Health and reflection answer for themselves, whatever the load."""

Details = grpc.HandlerCallDetails
Continue = Callable[[Details], Awaitable[Any]]


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
        # Bytes are parsed by us: grpc would do it on the event loop, however large they are, and
        # send the parser's text as UNKNOWN.
        read, written = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            serve = self._unary(handler.unary_unary, read, method)
            return grpc.unary_unary_rpc_method_handler(serve, None, written)
        if handler.unary_stream is not None:
            serve = self._stream(handler.unary_stream, read, method)
            return grpc.unary_stream_rpc_method_handler(serve, None, written)
        raise TypeError(f"{method} takes a stream; the mesh has no such calls")

    def _unary(self, serve: Any, read: Read, method: str) -> Any:
        async def around(data: bytes, context: Any) -> Any:
            async with self._taken(context, method):
                return await serve(await parsed(read, data), context)

        return around

    def _stream(self, serve: Any, read: Read, method: str) -> Any:
        # No generator: one that is left early is finalised later, in a foreign task.
        async def around(data: bytes, context: Any) -> None:
            async with (
                self._taken(context, method),
                aclosing(serve(await parsed(read, data), context)) as events,
            ):
                async for event in events:
                    await _sent(context.write(event))

        return around

    @asynccontextmanager
    async def _taken(self, context: Any, method: str) -> AsyncIterator[None]:
        """Serve one call in the block, and send its caller what the block raises."""
        headers = _headers(context)
        caller = caller_of(headers, context)
        try:
            with (
                server_span(method, context, headers),
                serving_for(caller),
                self._admission.slot(caller),
            ):
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


def _headers(context: Any) -> dict[str, str]:
    return {
        key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
    }
