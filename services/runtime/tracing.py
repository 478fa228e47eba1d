"""One span per RPC on each side, and the time that it took.

The package's aio interceptors await the call inside the interceptor, which
breaks cancellation (opentelemetry-python-contrib #3271), and fail on handlers
that write (#3066). So only its way to build spans is used: a server span is
opened around the handler, a client span in `calls.call`, and both end whatever
happens.
"""

import contextlib
import time
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

import grpc
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, StatusCode, Tracer

from services.core.errors import GremiumError
from services.runtime import figures, metrics, names, telemetry
from services.runtime.instruments import Histogram
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
CLIENTS_FAULTS: Final = frozenset(code.name for code in grpc.StatusCode) - {"OK", "CANCELLED"}
"""Whoever cancels a call of its own has no error to tell of."""


@contextlib.contextmanager
def server_span(method: str, context: Any, headers: Mapping[str, str]) -> Iterator[None]:
    """Trace and time the handling of one RPC below its caller's span.

    `context` has `invocation_metadata()` and `peer()`; `method` begins with `/`.
    """
    with _Timed(figures.RPC_SERVER, method, SERVERS_FAULTS):
        tracing, sampled = telemetry.tracer(), telemetry.is_sampled(headers)
        if tracing is None or sampled is False:
            with telemetry.carrying(headers):
                yield
            return
        with _server_span(tracing, method, context, headers):
            yield


@contextlib.contextmanager
def client_span(method: str, *, remaining_s: float) -> Iterator[None]:
    """Trace and time one call to a mesh service, which gets `remaining_s` seconds."""
    with _Timed(figures.RPC_CLIENT, method, CLIENTS_FAULTS):
        tracing = telemetry.sampling_tracer()
        if tracing is None:
            yield
            return
        with _client_span(tracing, method, remaining_s):
            yield


@contextlib.contextmanager
def _server_span(
    tracing: Tracer, method: str, context: Any, headers: Mapping[str, str]
) -> Iterator[None]:
    from services.runtime.sdk import ServerSpans  # noqa: PLC0415 - slow to import, not always needed

    token = attach(extract(dict(headers)))
    try:
        with ServerSpans(tracing).opened(method, context) as span:  # type: ignore[no-untyped-call]
            _name(span, method)
            _note_remaining(span, context)
            with _ended(span, SERVERS_FAULTS, cancelled="caller left"):
                yield
    finally:
        detach(token)


@contextlib.contextmanager
def _client_span(tracing: Tracer, method: str, remaining_s: float) -> Iterator[None]:
    from services.runtime.sdk import ClientSpans  # noqa: PLC0415 - slow to import, not always needed

    with ClientSpans(tracing).opened(method) as span:  # type: ignore[no-untyped-call]
        _name(span, method)
        span.set_attribute(names.REMAINING_S, remaining_s)
        telemetry.note_call()
        with _ended(span, CLIENTS_FAULTS, cancelled="not needed"):
            yield


class _Timed:
    """Measures how long a block takes and how it ends; cheaper than a generator."""

    __slots__ = ("_began_s", "_faults", "_histogram", "_method")

    def __init__(self, histogram: Histogram, method: str, faults: Container[str]) -> None:
        self._histogram = histogram
        self._method = method
        self._faults = faults
        self._began_s = time.perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        took_s, code = time.perf_counter() - self._began_s, _code(error)
        fault = code if code in self._faults else ""
        metrics.observe(self._histogram, took_s, "grpc", self._method.lstrip("/"), code, fault)


def _code(error: BaseException | None) -> str:
    """Name of the status that the caller of a handler sees."""
    match error:
        case None:
            return "OK"
        case GremiumError():
            return status_of(error).name
        case NotImplementedError():
            return "UNIMPLEMENTED"
        case Exception():
            return "INTERNAL"
        case _:
            return "CANCELLED"


def _name(span: Span, method: str) -> None:
    """As the conventions do now; the package keeps to older ones."""
    name = method.lstrip("/")
    span.update_name(name)
    span.set_attribute(names.RPC_SYSTEM, "grpc")
    span.set_attribute(names.RPC_METHOD, name)


@contextlib.contextmanager
def _ended(span: Span, faults: Container[str], *, cancelled: str) -> Iterator[None]:
    """Record how the block ended, by the status its caller sees."""
    try:
        yield
    except BaseException as err:
        code = _code(err)
        span.set_attribute(names.RPC_STATUS, code)
        if code == "CANCELLED":
            span.set_attribute(names.CANCEL_REASON, cancelled)
        else:
            _fail(span, code, err, is_error=code in faults)
        raise
    else:
        span.set_attribute(names.RPC_STATUS, "OK")


def _fail(span: Span, code: str, error: BaseException, *, is_error: bool) -> None:
    """Record an error; what the caller did wrong is none of the server's."""
    span.set_attribute(names.RPC_STATUS_NUMBER, grpc.StatusCode[code].value[0])
    if isinstance(error, GremiumError):
        span.set_attribute(names.REASON, error.reason)
    if is_error:
        text = str(error) if isinstance(error, GremiumError) else type(error).__name__
        span.set_attribute(names.ERROR_TYPE, code)
        span.set_status(StatusCode.ERROR, text)


def _note_remaining(span: Span, context: Any) -> None:
    left_s = time_left_s(context)
    if left_s is not None:
        span.set_attribute(names.REMAINING_S, left_s)
