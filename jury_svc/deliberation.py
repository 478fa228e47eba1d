"""Ask the jurors, at once or in waves, and stop as soon as waiting longer cannot help."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from jury_svc.affording import planned
from jury_svc.case import Case, Hear, Hearing, Juror, Settled, Started, Stopping, Tell
from jury_svc.quorum import Stop
from jury_svc.savings import saved
from jury_svc.sitting import Call, Sitting
from jury_svc.waves import waves
from services.core.answers import Answer, ModelReply, ModelRequest, Status, size_of
from services.core.deadline import Deadline
from services.core.lease import Purse
from services.core.prompts import Prompt
from services.core.usable import Unusable, vote_of
from services.core.visible import visible_text
from services.models.asked import Asked, Attempt, unspent
from services.models.asking import ask, cancelled, overdue
from services.models.listening import Listener
from services.models.pricing import dearest, spare
from services.runtime import names
from services.runtime.aside import aside
from services.runtime.spans import part_span

logger = logging.getLogger(__name__)

SETTLE_S: Final = 0.25
"""Seconds kept back from the caller's time: half to stop stragglers in, half to reply."""
SETTLE_SHARE: Final = 0.2
"""Largest share of the caller's time that is kept back."""
CUT_OFF: Final = {
    Stop.QUORUM: (Status.CANCELLED, "the quorum was met and the grace was over"),
    Stop.QUORUM_IMPOSSIBLE: (Status.CANCELLED, "the quorum could not be reached any more"),
    Stop.DEADLINE: (Status.TIMED_OUT, "the jury's time was up"),
    Stop.DECIDED: (Status.CANCELLED, "the ballots that were in had decided"),
}
"""How jurors end who are cut off, and why."""
VALUES: Final = frozenset({"labels", "number"})
"""Shapes whose words on the way say nothing: providers wrap such a value."""

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
    stop, stopping, heard = await _hear(
        case, plan.asked, attempts, deadline=deadline, settle_s=settle_s, tell=tell
    )
    unasked = [_skipped(juror, why) for juror, why in plan.unpaid]
    for settled in unasked:
        tell(settled)

    return _hearing(case, stop, stopping, [*heard, *unasked])


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
) -> tuple[Stop, Stopping, list[Settled]]:
    """Ask, wait, cut off; every juror is accounted for."""
    purse = spare(case.lease, *((request, juror.model.spec) for juror, request in questions))

    def call(i: int) -> Call:
        return asyncio.create_task(
            _ask(questions[i], attempts[i], purse, deadline=deadline, tell=tell)
        )

    costs = [dearest(request, juror.model.spec).cost_usd for juror, request in questions]
    jurors = [juror for juror, _ in questions]
    sitting = Sitting(case, jurors, waves(costs, case.waves), call)
    stop = None
    try:
        stop = await sitting.until_stop(deadline.reserve(settle_s))
    finally:
        calls = list(sitting.calls.values())
        await _cut_off(calls, reason=stop.name if stop else "CALLER_LEFT", limit_s=settle_s / 2)

    heard = [
        _end(question, sitting.calls.get(i), attempt, stop)
        for i, (question, attempt) in enumerate(zip(questions, attempts, strict=True))
    ]
    for i, end in enumerate(heard):
        if not _ended(sitting.calls.get(i)):
            tell(end)
    return stop, _stopping(sitting, stop, questions, heard), heard


def _end(question: Question, call: Call | None, attempt: Attempt, stop: Stop) -> Settled:
    """How a juror ended: by itself, cut off, or never asked."""
    juror, request = question
    if call is None:
        return _skipped(juror, "the jury stopped before its wave went out", reason=stop.name)
    if _ended(call):
        return call.result()
    if stop is Stop.DEADLINE:
        overdue(juror.model, attempt)
    return _cut(juror, cancelled(juror.model, request, attempt), stop)


def _stopping(
    sitting: Sitting, stop: Stop, questions: Sequence[Question], heard: Sequence[Settled]
) -> Stopping:
    """What the jury stopped by, and what it saved by not waiting for the others."""
    rule, statistic = sitting.finding or (None, None)
    told = [(end, request) for end, (_, request) in zip(heard, questions, strict=True)]
    unheard = [] if stop is Stop.DEADLINE else [pair for pair in told if _is_unheard(pair[0], stop)]
    return Stopping(rule, statistic, sitting.ballots, saved(told, unheard))


def _is_unheard(end: Settled, stop: Stop) -> bool:
    """Whether it was cut off or never asked because the jury stopped."""
    return end.asked.reason == stop.name


async def _ask(
    question: Question, attempt: Attempt, purse: Purse, *, deadline: Deadline, tell: Tell
) -> Settled:
    juror, request = question
    tell(Started(juror))
    told = {names.JUROR: juror.name, names.MODEL: juror.model.name}
    with part_span(f"juror {juror.name}", told) as span:
        asked = await ask(
            juror.model,
            request,
            deadline=deadline,
            timeout_s=juror.timeout_s,
            attempt=attempt,
            purse=purse,
        )
        said = asked.reply or ModelReply()
        size = size_of(said.text, said.tool_calls)
        settled = await aside(size, _settled, juror, asked, request.prompt)
        span.tell({names.COST_USD: asked.cost_usd})
        span.ended(settled.asked.status, settled.asked.reason)
    tell(settled)
    return settled


def _settled(juror: Juror, asked: Asked, prompt: Prompt) -> Settled:
    """How a juror ended: with a vote only if its answer is usable."""
    if asked.status is not Status.ANSWERED or asked.reply is None:
        return Settled(juror, asked)
    vote = vote_of(asked.reply, prompt)
    if isinstance(vote, Unusable):
        why = replace(asked, status=Status.UNUSABLE, reason=vote.reason, reason_text=vote.text)
        return Settled(juror, why)
    return Settled(juror, asked, _answer(juror, asked.reply), vote)


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


async def _cut_off(calls: Sequence[Call], *, reason: str, limit_s: float) -> None:
    """Cancel whom nobody waits for any more, and see that the calls end."""
    late = [call for call in calls if not call.done()]
    for call in late:
        call.cancel(reason)
    if late:
        _, deaf = await asyncio.wait(late, timeout=limit_s)
        for _ in deaf:
            logger.error("a juror's call did not end within %g s of its cancellation", limit_s)


def _ended(call: Call | None) -> bool:
    """Whether a call ended by itself, perhaps just before it was cancelled."""
    return call is not None and call.done() and not call.cancelled()


def _cut(juror: Juror, asked: Asked, stop: Stop) -> Settled:
    """How a juror ended whose call was cancelled because the jury stopped."""
    status, text = CUT_OFF[stop]
    return Settled(juror, replace(asked, status=status, reason=stop.name, reason_text=text))


def _skipped(juror: Juror, why: str, *, reason: str = "BUDGET_SPENT") -> Settled:
    return Settled(
        juror,
        Asked(
            Status.SKIPPED,
            reason=reason,
            reason_text=why,
            started_at=datetime.now(UTC),
        ),
    )


def _hearing(case: Case, stop: Stop, stopping: Stopping, settled: Sequence[Settled]) -> Hearing:
    return Hearing(
        settled=tuple(sorted(settled, key=lambda end: case.jurors.index(end.juror))),
        quorum_met=sum(end.answer is not None for end in settled) >= case.quorum,
        stop=stop,
        stopping=stopping,
        unspent=unspent(case.lease, [end.asked for end in settled]),
    )
