"""Asks one model, again if that may help, inside its timeout, and accounts for it however it ends."""

import asyncio
from dataclasses import replace
from typing import Final

from gremium.v1 import manifest_pb2
from services.config.tree import Model
from services.core.answers import ModelRequest, Status
from services.core.deadline import Deadline
from services.core.lease import Purse
from services.core.prompts import Image, Prompt
from services.models.asked import Asked, Attempt, AttemptEnd
from services.models.backend import RosterModel
from services.models.calling import End, Question, call_once, cut_short, put_back
from services.models.pricing import dearest
from services.models.racing import call_hedged
from services.runtime.wire import duration_to_wire, timestamp_to_wire, usage_to_wire

STATUS_TO_WIRE: Final = {
    Status.ANSWERED: manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
    Status.UNUSABLE: manifest_pb2.PARTICIPATION_STATUS_UNUSABLE,
    Status.TIMED_OUT: manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
    Status.FAILED: manifest_pb2.PARTICIPATION_STATUS_FAILED,
    Status.CANCELLED: manifest_pb2.PARTICIPATION_STATUS_CANCELLED,
    Status.SKIPPED: manifest_pb2.PARTICIPATION_STATUS_SKIPPED,
}


async def ask(
    model: RosterModel,
    request: ModelRequest,
    *,
    deadline: Deadline,
    timeout_s: float,
    attempt: Attempt | None = None,
    purse: Purse | None = None,
) -> Asked:
    """Ask a model; whatever goes wrong is told by the result. Raises only CancelledError.

    A call that failed is made again where the model's guard allows it, as long
    as nobody has heard anything of its answer. The first call was taken out of
    the purse; each further one is taken before it is sent, and what a call did
    not spend is put back. Without a purse there is no limit.
    """
    attempt = attempt or Attempt()
    reason = unsupported(model.spec, request.prompt)
    if reason:
        return attempt.ended(Asked(Status.SKIPPED, "UNSUPPORTED", reason))

    question = Question(model, request, deadline.within(timeout_s), timeout_s, attempt)
    model.guard.retries.called()
    end = await call_hedged(question, purse)
    put_back(purse, question, end[0])
    while (pause_s := _pause_s(question, end)) is not None:
        again = await _again(question, end, purse, pause_s=pause_s)
        if again is None:
            break
        end = again
    return attempt.ended(end[0])


def cancelled(model: RosterModel, request: ModelRequest, attempt: Attempt) -> Asked:
    """What a question came to that was stopped underway."""
    stopped = replace(
        cut_short(model, request, attempt, sent=attempt.sent),
        status=Status.CANCELLED,
        reason="CANCELLED",
        reason_text="its answer was no longer needed",
    )
    return attempt.ended(stopped)


def overdue(model: RosterModel, attempt: Attempt) -> None:
    """Tell the model's guard of a call that was stopped because its time was over."""
    if attempt.sent:
        model.guard.overdue(attempt.call_s)


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
        usage_doubt=asked.usage_doubt,
        attempts=[_attempt_to_wire(end) for end in asked.attempts],
    )


def _attempt_to_wire(end: AttemptEnd) -> manifest_pb2.Attempt:
    return manifest_pb2.Attempt(
        status=STATUS_TO_WIRE[end.status],
        reason=end.reason,
        start_time=timestamp_to_wire(end.started_at),
        duration=duration_to_wire(end.duration_s),
        usage=usage_to_wire(end.usage),
        cost_usd=end.cost_usd,
        span_id=end.span_id,
        model_calls=end.model_calls,
        hedge=end.hedge,
    )


def unsupported(spec: Model, prompt: Prompt) -> str:
    """Why a model cannot be asked this, as words; empty when it can."""
    if prompt.tools and not spec.tools:
        return "the prompt has tools, and the model calls none"
    parts = (part for turn in prompt.messages for part in turn.parts)
    if not spec.images and any(isinstance(part, Image) for part in parts):
        return "the prompt has images, and the model takes none"
    return ""


def _pause_s(question: Question, end: End) -> float | None:
    """Pause before the next call; None when there shall be none."""
    attempt, (_, outcome) = question.attempt, end
    if attempt.heard:
        return None
    made = len(attempt.earlier) + 1
    return question.model.guard.pause_s(outcome, attempts=made, until=question.until)


async def _again(
    question: Question, end: End, purse: Purse | None, *, pause_s: float
) -> End | None:
    """Pause, pay, and call again; None if the call was not affordable or not let through."""
    if purse is not None and not purse.take(dearest(question.request, question.model.spec)):
        return None
    attempt = question.attempt
    attempt.again(end[0])
    try:
        await asyncio.sleep(pause_s)
        again = await call_once(question)
    except asyncio.CancelledError:
        stopped = cut_short(question.model, question.request, attempt, sent=attempt.sent)
        put_back(purse, question, stopped)
        raise
    put_back(purse, question, again[0])
    if again[0].status is Status.SKIPPED:
        attempt.back()
        return None
    question.model.guard.retries.retried()
    return again
