"""What happens around every handler: trace, admission, errors."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc

from services.core import errors
from services.runtime.admission import Admission
from services.runtime.status import abort_arguments
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
        msg = f"{method} takes a stream; the mesh has no such calls"
        raise TypeError(msg)

    def _unary(self, serve: Any, method: str) -> Any:
        async def around(request: Any, context: Any) -> Any:
            try:
                with server_span(method, context, headers(context)), self._admission.slot():
                    refuse_malformed(request)
                    return await serve(request, context)
            except errors.GremiumError as err:
                await context.abort(*abort_arguments(err))
            except NotImplementedError:
                await refuse_unimplemented(context, method)
            except Exception as bug:  # noqa: BLE001 - the one place where bugs end
                await abort_for_bug(context, method, bug)

        return around

    def _stream(self, serve: Any, method: str) -> Any:
        async def around(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                with server_span(method, context, headers(context)), self._admission.slot():
                    refuse_malformed(request)
                    async for event in _events(serve(request, context)):
                        yield event
            except errors.GremiumError as err:
                await context.abort(*abort_arguments(err))
            except NotImplementedError:
                await refuse_unimplemented(context, method)
            except Exception as bug:  # noqa: BLE001 - the one place where bugs end
                await abort_for_bug(context, method, bug)

        return around


def _guarded(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A deserialiser that never raises: grpc would send the parser's text as UNKNOWN."""

    def guarded(data: bytes) -> Any:
        try:
            return read(data)
        except Exception:  # noqa: BLE001 - whatever the parser raises, the caller sent no message
            return Malformed(getattr(getattr(read, "__self__", None), "__name__", "message"))

    return guarded


async def _events(served: Any) -> AsyncIterator[Any]:
    """A handler's events; an unimplemented one is a function that raises when awaited."""
    if hasattr(served, "__aiter__"):
        async for event in served:
            yield event
    else:
        await served


def headers(context: Any) -> dict[str, str]:
    return {
        key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
    }


def refuse_malformed(request: Any) -> None:
    """Raise InvalidRequestError for bytes that were no message."""
    if isinstance(request, Malformed):
        raise errors.InvalidRequestError(f"the bytes sent are no {request.expected}")


async def refuse_unimplemented(context: Any, method: str) -> NoReturn:
    await context.abort(
        grpc.StatusCode.UNIMPLEMENTED, f"{method.lstrip('/')} is not implemented yet"
    )
    raise AssertionError("abort does not return")


async def abort_for_bug(context: Any, method: str, bug: Exception) -> NoReturn:
    logger.error("unexpected error in %s", method, exc_info=bug)
    await context.abort(*abort_arguments(errors.InternalError("internal error")))
    raise AssertionError("abort does not return")
