"""Asks one model once, inside its timeout, and accounts for it however it ends."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from gremium.v1 import manifest_pb2
from services.config.tree import Model
from services.core.answers import ModelReply, ModelRequest, Status, Usage
from services.core.deadline import Deadline
from services.core.errors import BackendError, DeadlineSpentError
from services.core.prompts import Image, Prompt
from services.models.backend import RosterModel
from services.models.listening import Listener
from services.models.pricing import cost_usd, reply_cost_usd, usage_so_far
from services.runtime import telemetry
from services.runtime.wire import cut, duration_to_wire, timestamp_to_wire, usage_to_wire

logger = logging.getLogger(__name__)

NEVER: Final = datetime.min.replace(tzinfo=UTC)
NOTHING: Final = Usage()

MAX_TEXT_BYTES: Final = 1024 * 1024
MAX_NAME_BYTES: Final = 256
MAX_TOOL_CALLS: Final = 128
BILLED_CAUSES: Final = frozenset({"CONNECTION", "INVALID_REPLY", "STREAM_CUT"})
"""Failures after which the provider may have read the prompt and billed it."""

STATUS_TO_WIRE: Final = {
    Status.ANSWERED: manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
    Status.UNUSABLE: manifest_pb2.PARTICIPATION_STATUS_UNUSABLE,
    Status.TIMED_OUT: manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
    Status.FAILED: manifest_pb2.PARTICIPATION_STATUS_FAILED,
    Status.CANCELLED: manifest_pb2.PARTICIPATION_STATUS_CANCELLED,
    Status.SKIPPED: manifest_pb2.PARTICIPATION_STATUS_SKIPPED,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """How one call to a model ended, and what it cost."""

    status: Status
    reason: str = ""
    """UPPER_SNAKE; empty when it answered."""
    reason_text: str = ""
    reply: ModelReply | None = None
    started_at: datetime = NEVER
    duration_s: float = 0.0
    usage: Usage = NOTHING
    usage_estimated: bool = False
    cost_usd: float = 0.0
    model_calls: int = 0
    span_id: str = ""


@dataclass(slots=True)
class Attempt:
    """How far one call got, for whoever may cancel it: a cancelled call returns nothing."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began_s: float = field(default_factory=monotonic)
    sent: bool = False
    """Whether it had its slot, so that the prompt may have been read and billed."""
    span_id: str = ""
    listener: Listener | None = None
    """Who hears the answer while it is written; None: nobody."""

    @property
    def heard(self) -> str:
        """What the model is known to have written so far."""
        return self.listener.heard if self.listener else ""

    def usage(self, request: ModelRequest) -> Usage:
        """What it has used if its model was reached, as far as is known."""
        return usage_so_far(request, self.heard, self.listener.used if self.listener else None)

    def ended(self, asked: Asked) -> Asked:
        """The call's end, with when it was and the span it left."""
        return replace(
            asked,
            started_at=self.started_at,
            duration_s=monotonic() - self.began_s,
            span_id=self.span_id,
        )


async def ask(
    model: RosterModel,
    request: ModelRequest,
    *,
    deadline: Deadline,
    timeout_s: float,
    attempt: Attempt | None = None,
) -> Asked:
    """Ask a model; whatever goes wrong is told by the result. Raises only CancelledError."""
    attempt = attempt or Attempt()
    reason = unsupported(model.spec, request.prompt)
    if reason:
        return attempt.ended(Asked(Status.SKIPPED, "UNSUPPORTED", reason))

    until = deadline.within(timeout_s)
    return attempt.ended(await _ask(model, request, until, attempt, timeout_s=timeout_s))


def cancelled(model: RosterModel, request: ModelRequest, attempt: Attempt) -> Asked:
    """What a call came to that was stopped underway."""
    stopped = replace(
        _spent(model, request, attempt, sent=attempt.sent),
        status=Status.CANCELLED,
        reason="CANCELLED",
        reason_text="its answer was no longer needed",
    )
    return attempt.ended(stopped)


def participation_to_wire(
    asked: Asked,
    *,
    stage: manifest_pb2.Stage.ValueType,
    name: str,
    model: RosterModel,
    tier: str,
) -> manifest_pb2.Participation:
    return manifest_pb2.Participation(
        stage=stage,
        name=name,
        model=model.name,
        requested_model=model.spec.model,
        served_model=asked.reply.served_model if asked.reply else "",
        provider=model.spec.provider_name,
        family=model.spec.family,
        status=STATUS_TO_WIRE[asked.status],
        reason=asked.reason,
        reason_text=asked.reason_text,
        start_time=timestamp_to_wire(asked.started_at),
        duration=duration_to_wire(asked.duration_s),
        usage=usage_to_wire(asked.usage),
        cost_usd=asked.cost_usd,
        span_id=asked.span_id,
        tier=tier,
        model_calls=asked.model_calls,
        usage_estimated=asked.usage_estimated,
    )


def unsupported(spec: Model, prompt: Prompt) -> str:
    """Why a model cannot be asked this, as words; empty when it can."""
    if prompt.tools and not spec.tools:
        return "the prompt has tools, and the model calls none"
    parts = (part for turn in prompt.messages for part in turn.parts)
    if not spec.images and any(isinstance(part, Image) for part in parts):
        return "the prompt has images, and the model takes none"
    return ""


async def _ask(
    model: RosterModel,
    request: ModelRequest,
    until: Deadline,
    attempt: Attempt,
    *,
    timeout_s: float,
) -> Asked:
    """Call inside a span that tells how the call ended."""
    spec = model.spec
    with telemetry.model_span(
        model=spec.model, provider=spec.provider_name, remaining_s=until.left_s
    ) as span:
        attempt.span_id = telemetry.current_span_id()
        try:
            asked = await _sorted_out(model, request, until, attempt, timeout_s=timeout_s)
        except asyncio.CancelledError:
            span.stopped()
            raise
        served = asked.reply.served_model if asked.reply else ""
        span.settle(asked.status, reason=asked.reason, served_model=served, usage=asked.usage)
        return asked


async def _sorted_out(
    model: RosterModel,
    request: ModelRequest,
    until: Deadline,
    attempt: Attempt,
    *,
    timeout_s: float,
) -> Asked:
    """Wait for a slot, call, and sort the ways it can end."""
    try:
        async with asyncio.timeout(until.remaining()), model.slots:
            attempt.sent = True
            reply = await model.backend.generate(request, deadline=until, listener=attempt.listener)
    except (TimeoutError, DeadlineSpentError):
        return _timed_out(model, request, attempt, timeout_s=timeout_s)
    except BackendError as err:
        return _failed(model, request, err, attempt)
    except Exception:
        # One adapter's bug must not take the other jurors' answers along.
        logger.exception("unexpected error while asking model %s", model.name)
        spent = _spent(model, request, attempt, sent=True)
        return replace(spent, reason="INTERNAL", reason_text="unexpected error, see the log")
    if attempt.listener:
        attempt.listener.ended(reply.text)
    return _answered(model, reply)


def _answered(model: RosterModel, reply: ModelReply) -> Asked:
    problem = overlong(reply)
    served = cut(reply.served_model, most_bytes=MAX_NAME_BYTES)
    return Asked(
        status=Status.FAILED if problem else Status.ANSWERED,
        reason="INVALID_REPLY" if problem else "",
        reason_text=problem,
        reply=None if problem else replace(reply, served_model=served),
        usage=reply.usage,
        usage_estimated=reply.usage_estimated,
        cost_usd=reply_cost_usd(reply, model.spec.price),
        model_calls=1,
    )


def overlong(reply: ModelReply) -> str:
    """What of a reply the contract has no room for, as words; empty when it fits."""
    if len(reply.text.encode()) > MAX_TEXT_BYTES:
        return f"the answer has more than {MAX_TEXT_BYTES} bytes"
    if len(reply.tool_calls) > MAX_TOOL_CALLS:
        return f"the answer has {len(reply.tool_calls)} tool calls; {MAX_TOOL_CALLS} are allowed"
    for call in reply.tool_calls:
        if not call.name or max(len(call.name.encode()), len(call.id.encode())) > MAX_NAME_BYTES:
            return f"a tool call's name or id is empty or longer than {MAX_NAME_BYTES} bytes"
        if len(call.arguments_json.encode()) > MAX_TEXT_BYTES:
            return f"a tool call's arguments have more than {MAX_TEXT_BYTES} bytes"
    return ""


def _timed_out(
    model: RosterModel, request: ModelRequest, attempt: Attempt, *, timeout_s: float
) -> Asked:
    what = "no reply" if attempt.sent else f"none of {model.spec.max_concurrent} slots was free"
    return replace(
        _spent(model, request, attempt, sent=attempt.sent),
        status=Status.TIMED_OUT,
        reason="TIMED_OUT",
        reason_text=f"{what} within {timeout_s:g} s or before the deadline",
    )


def _failed(
    model: RosterModel, request: ModelRequest, err: BackendError, attempt: Attempt
) -> Asked:
    reached = err.metadata.get("sent") != "False"
    spent = _spent(model, request, attempt, sent=reached and err.cause in BILLED_CAUSES)
    return replace(spent, reason=err.cause, reason_text=str(err), model_calls=int(reached))


def _spent(model: RosterModel, request: ModelRequest, attempt: Attempt, *, sent: bool) -> Asked:
    """A failure that cost what the prompt and all that was heard cost, if it was sent."""
    usage = attempt.usage(request) if sent else NOTHING
    return Asked(
        status=Status.FAILED,
        usage=usage,
        usage_estimated=sent,
        cost_usd=cost_usd(usage, model.spec.price),
        model_calls=int(sent),
    )
