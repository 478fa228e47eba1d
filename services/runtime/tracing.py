"""One span per RPC on each side, by the instrumentation package's own attributes.

The package's aio interceptors await the call inside the interceptor, which
breaks cancellation (opentelemetry-python-contrib #3271), and fail on handlers
that write (#3066). So only its way to build spans is used: a server span is
opened around the handler, a client span in `calls.call`, and both end whatever
happens.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import grpc
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, StatusCode

from services.core.errors import GremiumError
from services.runtime import telemetry
from services.runtime.status import status_of
from services.runtime.time_left import time_left_s

SERVERS_FAULTS: Final = frozenset(
    {
        "ABORTED",
        "DATA_LOSS",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
        "UNAVAILABLE",
        "UNIMPLEMENTED",
        "UNKNOWN",
    }
)
"""As the RPC conventions say, and ABORTED, by which ours tell that a backend or quorum failed."""


@contextlib.contextmanager
def server_span(method: str, context: Any, headers: Mapping[str, str]) -> Iterator[None]:
    """Trace the handling of one RPC below its caller's span.

    `context` has `invocation_metadata()` and `peer()`; `method` begins with `/`.
    """
    tracing, sampled = telemetry.tracer(), telemetry.is_sampled(headers)
    if tracing is None or sampled is False:
        with telemetry.carrying(headers):
            yield
        return
    from services.runtime.sdk import ServerSpans  # noqa: PLC0415 - slow to import, not always needed

    token = attach(extract(dict(headers)))
    try:
        with ServerSpans(tracing).opened(method, context) as span:  # type: ignore[no-untyped-call]
            span.update_name(method.lstrip("/"))
            _note_remaining(span, context)
            with _ended(span, at_server=True):
                yield
    finally:
        detach(token)


@contextlib.contextmanager
def client_span(method: str, *, remaining_s: float) -> Iterator[None]:
    """Trace one call to a mesh service, which gets `remaining_s` seconds."""
    tracing = telemetry.tracer()
    if tracing is None or not trace.get_current_span().get_span_context().trace_flags.sampled:
        yield
        return
    from services.runtime.sdk import ClientSpans  # noqa: PLC0415 - slow to import, not always needed

    with ClientSpans(tracing).opened(method) as span:  # type: ignore[no-untyped-call]
        span.update_name(method.lstrip("/"))
        span.set_attribute(telemetry.REMAINING_S, remaining_s)
        telemetry.note_call()
        with _ended(span, at_server=False):
            yield


@contextlib.contextmanager
def _ended(span: Span, *, at_server: bool) -> Iterator[None]:
    """Record how the block ended, by the status its caller sees."""
    try:
        yield
    except GremiumError as err:
        code = status_of(err).name
        span.set_attribute(telemetry.REASON, err.reason)
        _fail(span, code, str(err), is_error=not at_server or code in SERVERS_FAULTS)
        raise
    except NotImplementedError:
        _fail(span, "UNIMPLEMENTED", "not implemented", is_error=True)
        raise
    except Exception as err:
        _fail(span, "INTERNAL", type(err).__name__, is_error=True)
        raise
    except BaseException:
        span.set_attribute(telemetry.RPC_STATUS, "CANCELLED")
        span.set_attribute(telemetry.CANCEL_REASON, "caller left" if at_server else "not needed")
        raise
    else:
        span.set_attribute(telemetry.RPC_STATUS, "OK")


def _fail(span: Span, code: str, text: str, *, is_error: bool) -> None:
    """Record a status; what the caller did wrong is no error of the server's."""
    span.set_attribute(telemetry.RPC_STATUS, code)
    span.set_attribute(telemetry.RPC_STATUS_NUMBER, grpc.StatusCode[code].value[0])
    if is_error:
        span.set_status(StatusCode.ERROR, text)


def _note_remaining(span: Span, context: Any) -> None:
    left_s = time_left_s(context)
    if left_s is not None:
        span.set_attribute(telemetry.REMAINING_S, left_s)
