"""Calls one model once, through its guard, and sorts the ways it can end."""

import asyncio
import logging
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from services.core.answers import ModelReply, ModelRequest, Status
from services.core.deadline import Deadline
from services.core.errors import BackendError, DeadlineSpentError
from services.core.lease import Purse
from services.models import outcome
from services.models.asked import NOTHING, Asked, Attempt
from services.models.backend import RosterModel
from services.models.gate import RefusedError
from services.models.measured import measure_call
from services.models.outcome import Outcome
from services.models.pacing import LateError, generated
from services.models.plausible import plausible
from services.models.pricing import cost_usd, dearest, reply_cost_usd
from services.runtime import names, telemetry
from services.runtime.callers import current_caller
from services.runtime.spans import ModelSpan, model_span, why_stopped
from services.runtime.wire import cut

logger = logging.getLogger(__name__)

MAX_TEXT_BYTES: Final = 1024 * 1024
MAX_NAME_BYTES: Final = 256
MAX_TOOL_CALLS: Final = 128
BILLED_CAUSES: Final = frozenset({"CONNECTION", "INVALID_REPLY", "STREAM_CUT"})
"""Failures after which the provider may have read the prompt and billed it."""
LOST: Final = "HEDGE_LOST"
"""Why a call was stopped beside which another was faster."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which model, and until when."""

    model: RosterModel
    request: ModelRequest
    until: Deadline
    timeout_s: float
    """What limits it beside its caller's deadline, for the text."""
    attempt: Attempt


End = tuple[Asked, Outcome]
"""How a call ended for who asked, and for the model's guard."""


async def call_once(question: Question) -> End:
    """Call inside a span that tells how the call ended. Raises only CancelledError."""
    model, attempt = question.model, question.attempt
    with _traced(question) as span:
        attempt.span_id = telemetry.current_span_id()
        try:
            asked, seen = await _admitted(question)
        except asyncio.CancelledError as err:
            stopped = _stopped(question, err)
            span.stopped(stopped.reason)
            measure_call(model, attempt, stopped)
            raise
        span.settle(
            asked.status,
            reason=asked.reason,
            usage=asked.usage,
            reply=asked.reply,
            cost_usd=asked.cost_usd,
            first_chunk_s=attempt.first_chunk_s,
        )
        measure_call(model, attempt, asked)
        return asked, seen


def _traced(question: Question) -> AbstractContextManager[ModelSpan]:
    spec, attempt = question.model.spec, question.attempt
    return model_span(
        model=spec.model,
        provider=spec.provider_name,
        remaining_s=question.until.left_s,
        attributes={
            names.MODEL: question.model.name,
            names.ATTEMPT: len(attempt.earlier) + 1,
            names.HEDGE: attempt.hedge,
            names.STREAMED: attempt.listener is not None,
        },
    )


def _stopped(question: Question, error: asyncio.CancelledError) -> Asked:
    """What a call came to that was stopped, and why, as far as whoever stopped it said."""
    attempt = question.attempt
    reason = LOST if attempt.lost else why_stopped(error)
    spent = cut_short(question.model, question.request, attempt, sent=attempt.sent)
    return replace(spent, status=Status.CANCELLED, reason=reason)


async def _admitted(question: Question) -> End:
    """Wait for the model's turn, and let its guard know how the call ended."""
    guard, waits = question.model.guard, not question.attempt.hedge
    try:
        async with guard.admitted(current_caller(), question.until, waits=waits) as permit:
            question.attempt.dispatched()
            asked, permit.outcome = await _sorted_out(question)
            return asked, permit.outcome
    except RefusedError as err:
        return Asked(Status.SKIPPED, err.reason, str(err)), outcome.NOTHING
    except (TimeoutError, DeadlineSpentError):
        what = f"none of {guard.limit.allowed} slots was free"
        return _timed_out(question, what), outcome.NOTHING


async def _sorted_out(question: Question) -> End:
    model, attempt, began = question.model, question.attempt, monotonic()
    try:
        reply = await generated(model, question.request, question.until, attempt)
    except LateError as err:
        late = replace(_timed_out(question, ""), reason=err.reason, reason_text=str(err))
        return late, outcome.LATE
    except (TimeoutError, DeadlineSpentError):
        seen = outcome.timed_out(waited_s=monotonic() - began, usual_s=model.guard.usual_s)
        return _timed_out(question, "no reply"), seen
    except BackendError as err:
        return _failed(question, err), outcome.failed(err)
    except Exception:
        # One adapter's bug must not take the other jurors' answers along.
        logger.exception("unexpected error while asking model %s", model.name)
        spent = cut_short(model, question.request, attempt, sent=True)
        bug = replace(spent, reason="INTERNAL", reason_text="unexpected error, see the log")
        return bug, outcome.NOTHING
    if attempt.listener:
        attempt.listener.ended(reply.text)
    return _answered(model, question.request, reply), outcome.answered(monotonic() - began)


def _answered(model: RosterModel, request: ModelRequest, reply: ModelReply) -> Asked:
    problem = overlong(reply)
    usage, doubt = plausible(reply.usage, request, model.spec)
    doubt = "" if reply.usage_estimated else doubt
    if doubt:
        logger.warning("usage of model %s is estimated: %s", model.name, doubt)
    reply = replace(reply, usage=usage, usage_estimated=reply.usage_estimated or bool(doubt))
    served = cut(reply.served_model, most_bytes=MAX_NAME_BYTES)
    return Asked(
        status=Status.FAILED if problem else Status.ANSWERED,
        reason="INVALID_REPLY" if problem else "",
        reason_text=problem,
        reply=None if problem else replace(reply, served_model=served),
        usage=reply.usage,
        usage_estimated=reply.usage_estimated,
        usage_doubt=doubt,
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


def _timed_out(question: Question, what: str) -> Asked:
    attempt = question.attempt
    return replace(
        cut_short(question.model, question.request, attempt, sent=attempt.sent),
        status=Status.TIMED_OUT,
        reason="TIMED_OUT",
        reason_text=f"{what} within {question.timeout_s:g} s or before the deadline",
    )


def _failed(question: Question, err: BackendError) -> Asked:
    reached = err.metadata.get("sent") != "False"
    billed = reached and err.cause in BILLED_CAUSES
    spent = cut_short(question.model, question.request, question.attempt, sent=billed)
    return replace(spent, reason=err.cause, reason_text=str(err), model_calls=int(reached))


def cut_short(model: RosterModel, request: ModelRequest, attempt: Attempt, *, sent: bool) -> Asked:
    """A failure that cost what the prompt and all that was heard cost, if it was sent."""
    usage = plausible(attempt.usage(request), request, model.spec)[0] if sent else NOTHING
    return Asked(
        status=Status.FAILED,
        usage=usage,
        usage_estimated=sent,
        cost_usd=cost_usd(usage, model.spec.price),
        model_calls=int(sent),
    )


def put_back(purse: Purse | None, question: Question, spent: Asked) -> None:
    """Return what a call that was taken out of the purse did not spend."""
    if purse is not None:
        purse.put_back(
            dearest(question.request, question.model.spec),
            cost_usd=spent.cost_usd,
            model_calls=spent.model_calls,
            tokens=spent.usage.total_tokens,
        )
