"""What is sent where, and which span is current."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from opentelemetry import trace

from services.runtime import metrics

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
SAMPLED: Final = 0x01

_carried: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("carried", default=())
"""Trace headers of an unsampled request, handed on as they came."""


@dataclass
class _Tracing:
    provider: "TracerProvider | None" = None


_tracing = _Tracing()


def setup(service: str, env: Mapping[str, str] = os.environ, *, prefix: str = "") -> None:
    """Send spans and metrics where the standard `OTEL_` variables say; without them, nowhere.

    `OTEL_TRACES_EXPORTER` is `otlp`, `console` or `none`; unset, it is `otlp`
    when an `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Figures are kept, too, where the
    setting `{prefix}_METRICS` has somebody read them.

    Raises
    ------
    ValueError
        If `OTEL_TRACES_EXPORTER` or `OTEL_METRICS_EXPORTER` names another exporter,
        `OTEL_EXPORTER_OTLP_PROTOCOL` another protocol than `grpc`, or figures are to be sent as
        changes.
    """
    spans_to, metered = _exporter(env), metrics.wanted(env)
    name = env.get("OTEL_SERVICE_NAME") or f"gremium-{service}"
    if metered or env.get(f"{prefix}_METRICS"):
        metrics.measure(name)
    if spans_to == "none" and not metered:
        return
    from services.runtime import sdk  # noqa: PLC0415 - slow to import, not always needed

    if metered:
        metrics.export_by(sdk.reports(name, env))
    if spans_to != "none":
        install(sdk.tracer_provider(name, to_console=spans_to == "console"))


def _exporter(env: Mapping[str, str]) -> Literal["otlp", "console", "none"]:
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return "none"
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    default = "otlp" if any(env.get(name) for name in endpoints) else "none"
    match env.get("OTEL_TRACES_EXPORTER") or default:
        case "otlp":
            _check_protocol(env)
            return "otlp"
        case "console" | "none" as known:
            return known
        case other:
            msg = f"OTEL_TRACES_EXPORTER is {other!r}; it may be otlp, console or none"
            raise ValueError(msg)


def _check_protocol(env: Mapping[str, str]) -> None:
    names = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    found = next(((name, env[name]) for name in names if env.get(name)), ("", "grpc"))
    if found[1] != "grpc":
        msg = f"{found[0]} is {found[1]!r}; spans are sent by grpc alone"
        raise ValueError(msg)


def install(provider: "TracerProvider | None") -> None:
    """Trace with this provider from now on; None stops tracing."""
    _tracing.provider = provider


def shutdown() -> None:
    """Send what is left and stop tracing."""
    if _tracing.provider is not None:
        _tracing.provider.shutdown()
    install(None)
    metrics.shutdown()


def tracer() -> trace.Tracer | None:
    """The tracer, or None when tracing is off."""
    provider = _tracing.provider
    return None if provider is None else provider.get_tracer("gremium")


def sampling_tracer() -> trace.Tracer | None:
    """The tracer where the current span is sampled, else None."""
    if _tracing.provider is None:
        return None
    sampled = trace.get_current_span().get_span_context().trace_flags.sampled
    return tracer() if sampled else None


def current_trace_id() -> str:
    """Trace of the current span, 32 hex digits; empty when not sampled."""
    if _tracing.provider is None:
        return ""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.trace_flags.sampled else ""


def current_span_id() -> str:
    """The current span, 16 hex digits; empty when not sampled."""
    if _tracing.provider is None:
        return ""
    context = trace.get_current_span().get_span_context()
    return trace.format_span_id(context.span_id) if context.trace_flags.sampled else ""


@dataclass(slots=True)
class CallNote:
    """The span of a call to a service, for whoever records the call."""

    span_id: str = ""
    """16 hex digits; empty when not sampled, or not called."""


_note: ContextVar[CallNote | None] = ContextVar("note", default=None)


@contextlib.contextmanager
def noting_call() -> Iterator[CallNote]:
    """Learn the span of the first call that this block makes."""
    note = CallNote()
    token = _note.set(note)
    try:
        yield note
    finally:
        _note.reset(token)


def note_call() -> None:
    """Tell whoever wants to know that the current span is a call's."""
    note = _note.get()
    if note is not None and not note.span_id:
        note.span_id = current_span_id()


def is_sampled(headers: Mapping[str, str]) -> bool | None:
    """Whether the caller sampled its trace; None when it has none."""
    parent = headers.get(TRACEPARENT, "")
    try:
        return bool(int(parent.rsplit("-", 1)[1], 16) & SAMPLED)
    except (IndexError, ValueError):
        return None


@contextlib.contextmanager
def carrying(headers: Mapping[str, str]) -> Iterator[None]:
    """Hand an unsampled caller's trace headers on to the calls of this block."""
    kept = tuple((name, headers[name]) for name in (TRACEPARENT, TRACESTATE) if name in headers)
    token = _carried.set(kept)
    try:
        yield
    finally:
        _carried.reset(token)


def outgoing_headers() -> tuple[tuple[str, str], ...]:
    """W3C trace headers for a call that is about to start."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return _carried.get()
    flags = int(context.trace_flags) & 0xFF
    parent = (
        f"00-{trace.format_trace_id(context.trace_id)}-{trace.format_span_id(context.span_id)}"
        f"-{flags:02x}"
    )
    state = context.trace_state.to_header() if context.trace_state else ""
    headers = ((TRACEPARENT, parent),)
    return (*headers, (TRACESTATE, state)) if state else headers
