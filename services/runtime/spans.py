"""Spans of what is no call between services: jurors, calls to models, tallies, verdicts.

All do nothing where the request is not sampled.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from services.core.answers import ModelReply, Status, Usage
from services.runtime import names, telemetry

NOTHING: Final[Mapping[str, AttributeValue]] = {}
CANCELLED: Final = "CANCELLED"
NO_ERROR: Final = frozenset({Status.ANSWERED, Status.UNUSABLE, Status.CANCELLED, Status.SKIPPED})
"""How a juror or a call may end without an error of a model's."""


@dataclass(frozen=True, slots=True)
class Part:
    """The span of one part of a request; empty when it is not sampled."""

    span: Span | None = None

    def tell(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Say what is known of it now."""
        if self.span is not None:
            self.span.set_attributes(attributes)

    def ended(self, status: Status, reason: str = "") -> None:
        """Say how it ended; what was not needed or not usable is no error."""
        if self.span is None:
            return
        self.span.set_attribute(names.STATUS, status.value)
        if reason:
            self.span.set_attribute(names.WHY, reason)
        if status not in NO_ERROR:
            self.span.set_attribute(names.ERROR_TYPE, reason or status.value)
            self.span.set_status(StatusCode.ERROR, reason)

    def event(self, name: str, attributes: Mapping[str, AttributeValue]) -> None:
        """Say that something happened in it."""
        if self.span is not None:
            self.span.add_event(name, attributes)

    def stopped(self, reason: str) -> None:
        """Say why it was no longer needed, which is no error."""
        if self.span is not None:
            self.span.set_attribute(names.CANCEL_REASON, reason)


class ModelSpan(Part):
    """The span of one call to one model."""

    __slots__ = ()

    def settle(
        self,
        status: Status,
        *,
        reason: str = "",
        usage: Usage,
        reply: ModelReply | None = None,
        cost_usd: float = 0.0,
        first_chunk_s: float | None = None,
    ) -> None:
        """Say how the call ended."""
        if self.span is None:
            return
        self.tell(_used(usage, cost_usd))
        if reply is not None:
            self.tell(_replied(reply))
        if first_chunk_s is not None:
            self.span.set_attribute(names.FIRST_CHUNK_S, first_chunk_s)
        self.ended(status, reason)


def _used(usage: Usage, cost_usd: float) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        names.INPUT_TOKENS: usage.input_tokens,
        names.OUTPUT_TOKENS: usage.output_tokens,
        names.COST_USD: cost_usd,
    }
    if usage.cached_input_tokens:
        found[names.CACHED_TOKENS] = usage.cached_input_tokens
    if usage.reasoning_tokens:
        found[names.REASONING_TOKENS] = usage.reasoning_tokens
    return found


def _replied(reply: ModelReply) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {names.FINISH_REASONS: (reply.finish_reason.value,)}
    if reply.served_model:
        found[names.RESPONSE_MODEL] = reply.served_model
    return found


@contextlib.contextmanager
def part_span(name: str, attributes: Mapping[str, AttributeValue]) -> Iterator[Part]:
    """Trace one part of a request, below the current span."""
    tracing = telemetry.sampling_tracer()
    if tracing is None:
        yield Part()
        return
    with tracing.start_as_current_span(name, attributes=attributes, record_exception=False) as span:
        part = Part(span)
        try:
            yield part
        except asyncio.CancelledError as err:
            part.stopped(why_stopped(err))
            raise


def why_stopped(error: asyncio.CancelledError) -> str:
    """The reason that whoever cancelled gave, UPPER_SNAKE; `CANCELLED` when it gave none.

    Examples
    --------
    >>> why_stopped(asyncio.CancelledError("DECIDED")), why_stopped(asyncio.CancelledError())
    ('DECIDED', 'CANCELLED')
    """
    said = error.args[0] if error.args else ""
    return said if isinstance(said, str) and said.isupper() else CANCELLED


def current_part() -> Part:
    """The part whose span is the current one."""
    is_sampled = telemetry.sampling_tracer() is not None
    return Part(trace.get_current_span()) if is_sampled else Part()


@contextlib.contextmanager
def model_span(
    *,
    model: str,
    provider: str,
    remaining_s: float,
    attributes: Mapping[str, AttributeValue] = NOTHING,
) -> Iterator[ModelSpan]:
    """Trace one call to one model, named as the provider calls it."""
    tracing = telemetry.sampling_tracer()
    if tracing is None:
        yield ModelSpan()
        return
    told: dict[str, AttributeValue] = {
        names.OPERATION: "chat",
        names.PROVIDER: names.provider_called(provider),
        names.REQUEST_MODEL: model,
        names.REMAINING_S: remaining_s,
        **attributes,
    }
    with tracing.start_as_current_span(
        f"chat {model}", kind=SpanKind.CLIENT, attributes=told, record_exception=False
    ) as span:
        yield ModelSpan(span)
