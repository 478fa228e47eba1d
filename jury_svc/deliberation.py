"""Ask the jurors at once and stop as soon as waiting longer cannot help."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from jury_svc.affording import planned
from jury_svc.case import Case, Hear, Hearing, Juror, Settled, Started, Tell
from jury_svc.quorum import Stop, stop_reason
from services.core.answers import Answer, ModelReply, ModelRequest, Status
from services.core.deadline import Deadline
from services.core.lease import Purse
from services.core.prompts import Prompt
from services.core.usable import unusable_reason
from services.core.visible import visible_text
from services.models.asking import Asked, Attempt, ask, cancelled, overdue
from services.models.listening import Listener
from services.models.pricing import spare

logger = logging.getLogger(__name__)

SETTLE_S: Final = 0.25
"""Seconds kept back from the caller's time: half to stop stragglers in, half to reply."""
SETTLE_SHARE: Final = 0.2
"""Largest share of the caller's time that is kept back."""
CUT_OFF: Final = {
    Stop.QUORUM: (Status.CANCELLED, "the quorum was met and the grace was over"),
    Stop.QUORUM_IMPOSSIBLE: (Status.CANCELLED, "the quorum could not be reached any more"),
    Stop.DEADLINE: (Status.TIMED_OUT, "the jury's time was up"),
}
"""How jurors end who are cut off, and why."""
VALUES: Final = frozenset({"labels", "number"})
"""Shapes whose words on the way say nothing: providers wrap such a value."""

Call = asyncio.Task[Settled]
Question = tuple[Juror, ModelRequest]


async def deliberate(
    case: Case, *, deadline: Deadline, tell: Tell, hear: Hear | None = None
) -> Hearing:
    """Ask the jurors that the lease can pay, and reply before the deadline.

    With `hear`, their models stream, and their words are heard as they come.

    Jurors still thinking when the jury stops are cancelled: a slow model costs
    money but never latency. What they spent counts.

    Raises
    ------
    DeadlineSpentError
        If no time is left to ask anyone.
    """
    settle_s = min(SETTLE_S, SETTLE_SHARE * deadline.remaining())
    plan = planned(case)

    attempts = [_attempt(question, hear) for question in plan.asked]
    stop, heard = await _hear(
        case, plan.asked, attempts, deadline=deadline, settle_s=settle_s, tell=tell
    )
    unasked = [_skipped(juror, why) for juror, why in plan.unpaid]
    for settled in unasked:
        tell(settled)

    return _hearing(case, stop, [*heard, *unasked])


def _attempt(question: Question, hear: Hear | None) -> Attempt:
    if hear is None:
        return Attempt()
    juror, request = question
    at_once = request.prompt.output_format.kind in VALUES
    return Attempt(listener=Listener(partial(hear, juror.name), at_once=at_once))


async def _hear(
    case: Case,
    questions: Sequence[Question],
    attempts: Sequence[Attempt],
    *,
    deadline: Deadline,
    settle_s: float,
    tell: Tell,
) -> tuple[Stop, list[Settled]]:
    """Ask, wait, cut off; every juror is accounted for."""
    purse = spare(case.lease, *((request, juror.model.spec) for juror, request in questions))
    calls = [
        asyncio.create_task(_ask(question, attempt, purse, deadline=deadline, tell=tell))
        for question, attempt in zip(questions, attempts, strict=True)
    ]
    stop = None
    try:
        stop = await _until_stop(calls, case, until=deadline.reserve(settle_s))
    finally:
        await _cut_off(calls, reason=stop.name if stop else "CALLER_LEFT", limit_s=settle_s / 2)

    heard = []
    for (juror, request), call, attempt in zip(questions, calls, attempts, strict=True):
        if _ended(call):
            heard.append(call.result())
            continue
        if stop is Stop.DEADLINE:
            overdue(juror.model, attempt)
        heard.append(_cut(juror, cancelled(juror.model, request, attempt), stop))
        tell(heard[-1])
    return stop, heard


async def _ask(
    question: Question, attempt: Attempt, purse: Purse, *, deadline: Deadline, tell: Tell
) -> Settled:
    juror, request = question
    tell(Started(juror))
    asked = await ask(
        juror.model,
        request,
        deadline=deadline,
        timeout_s=juror.timeout_s,
        attempt=attempt,
        purse=purse,
    )
    settled = _settled(juror, asked, request.prompt)
    tell(settled)
    return settled


def _settled(juror: Juror, asked: Asked, prompt: Prompt) -> Settled:
    """How a juror ended: with a vote only if its answer is usable."""
    if asked.status is not Status.ANSWERED or asked.reply is None:
        return Settled(juror, asked)
    if problem := unusable_reason(asked.reply, prompt):
        reason, text = problem
        unusable = replace(asked, status=Status.UNUSABLE, reason=reason, reason_text=text)
        return Settled(juror, unusable)
    return Settled(juror, asked, _answer(juror, asked.reply))


def _answer(juror: Juror, reply: ModelReply) -> Answer:
    return Answer(
        juror=juror.name,
        text=visible_text(reply.text),
        tool_calls=reply.tool_calls,
        model=reply.served_model or juror.model.spec.model,
        family=juror.model.spec.family,
        finish_reason=reply.finish_reason,
        mean_logprob=reply.mean_logprob,
    )


async def _until_stop(calls: Sequence[Call], case: Case, *, until: Deadline) -> Stop:
    pending, usable = set(calls), 0
    grace: Deadline | None = None
    while True:
        stop = stop_reason(
            usable=usable,
            unsettled=len(pending),
            quorum=case.quorum,
            grace_over=grace is not None and grace.left_s == 0.0,
            time_is_up=until.left_s == 0.0,
        )
        if stop is not None:
            return stop
        limit = until if grace is None else min(until, grace)
        done, pending = await asyncio.wait(
            pending, timeout=limit.left_s, return_when=asyncio.FIRST_COMPLETED
        )
        usable += sum(call.result().answer is not None for call in done)
        if grace is None and usable >= case.quorum:
            grace = Deadline.after(case.grace_s)


async def _cut_off(calls: Sequence[Call], *, reason: str, limit_s: float) -> None:
    """Cancel whom nobody waits for any more, and see that the calls end."""
    late = [call for call in calls if not call.done()]
    for call in late:
        call.cancel(reason)
    if late:
        _, deaf = await asyncio.wait(late, timeout=limit_s)
        for _ in deaf:
            logger.error("a juror's call did not end within %g s of its cancellation", limit_s)


def _ended(call: Call) -> bool:
    """Whether a call ended by itself, perhaps just before it was cancelled."""
    return call.done() and not call.cancelled()


def _cut(juror: Juror, asked: Asked, stop: Stop) -> Settled:
    """How a juror ended whose call was cancelled because the jury stopped."""
    status, text = CUT_OFF[stop]
    return Settled(juror, replace(asked, status=status, reason=stop.name, reason_text=text))


def _skipped(juror: Juror, why: str) -> Settled:
    return Settled(
        juror,
        Asked(
            Status.SKIPPED,
            reason="BUDGET_SPENT",
            reason_text=why,
            started_at=datetime.now(UTC),
        ),
    )


def _hearing(case: Case, stop: Stop, settled: Sequence[Settled]) -> Hearing:
    asked = [end.asked for end in settled]
    return Hearing(
        settled=tuple(sorted(settled, key=lambda end: case.jurors.index(end.juror))),
        quorum_met=sum(end.answer is not None for end in settled) >= case.quorum,
        stop=stop,
        unspent=case.lease.less(
            cost_usd=sum(call.cost_usd for call in asked),
            model_calls=sum(call.model_calls for call in asked),
            tokens=sum(call.usage.total_tokens for call in asked),
        ),
    )
