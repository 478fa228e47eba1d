"""Does a step, checks what it gave, and tries once more where the configuration says so."""

from typing import Final

from gremium.v1 import aggregator_pb2, manifest_pb2, types_pb2
from services.config.steps import Step
from services.config.tree import Judge
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.core.lease import Lease
from services.gateway import messages
from services.gateway.ending import Ending
from services.gateway.patterns.specialists_prompts import Output
from services.gateway.patterns.specialists_steps import (
    Asking,
    NoAnswerError,
    Work,
    again,
    asking,
    do,
)

CHECKS_S: Final = 2.0
CHECKS_SHARE: Final = 0.25
"""Checks take milliseconds: a judge that takes this long, or that share of what is left, is lost."""
ONLY_CHECKS: Final = Judge()
FREE: Final = Lease(0.0, 0, 0)
AGAIN: Final = "\n\nAn earlier attempt was of no use: {why}. Avoid that."


async def done(work: Work, step_id: str) -> Output:
    """Do a step, and what is configured for when it fails.

    A second attempt is checked by what was asked at first: what it was told of
    the first one excuses nothing.

    Raises
    ------
    NoAnswerError
        If it found no answer, or one that a check fails.
    GremiumError
        If it failed.
    """
    step = work.ensemble.steps[step_id]
    first = asking(work, step_id)
    try:
        return await _checked(work, step_id, first, await do(work, first))
    except (GremiumError, NoAnswerError) as err:
        second = _second(work, step, first, err)
        if second is None:
            raise
    work.log.recovering(step_id, step.on_fail or "")
    return await _checked(work, step_id, first, await do(work, second))


def _second(
    work: Work, step: Step, first: Asking, why: GremiumError | NoAnswerError
) -> Asking | None:
    """What is asked next; None: nothing, or there is no time for it."""
    if step.on_fail not in {"retry", "fallback"} or work.until.left_s == 0.0:
        return None
    if step.on_fail == "fallback":
        return again(first, model=step.fallback)
    return again(first, note=AGAIN.format(why=_reason(why)))


def _reason(why: GremiumError | NoAnswerError) -> str:
    """In words, on one line."""
    told = why.ending.reason_text if isinstance(why, NoAnswerError) else ""
    return " ".join((told or str(why)).split())[:300].rstrip(".")


async def _checked(work: Work, step_id: str, asked: Asking, output: Output) -> Output:
    """An output that no check fails; what a judge audits anyway, and searches, are not checked.

    Raises
    ------
    NoAnswerError
        If a check does.
    """
    if output.answer is None or asked.prompt is None or _is_judged(work, step_id):
        return output
    verdict = await _verdict(work, step_id, asked.prompt, output.answer)
    if verdict is not None and verdict.kind == manifest_pb2.VERDICT_KIND_FAIL:
        rejected = Ending(manifest_pb2.OUTCOME_REJECTED, reason_text=verdict.reason_text)
        raise NoAnswerError(rejected, verdict.reason_text)
    return output


def _is_judged(work: Work, step_id: str) -> bool:
    """Whether a judge audits the output: the request's, or that of the ensemble that gave it."""
    step = work.ensemble.steps[step_id]
    nested = work.case.ensembles[step.ensemble] if step.ensemble else None
    return work.judge_lost or work.direct or (nested is not None and nested.judge is not None)


async def _verdict(
    work: Work, step_id: str, prompt: types_pb2.Prompt, answer: types_pb2.Answer
) -> manifest_pb2.Verdict | None:
    """What the judge's checks say, that ask no model; None when the judge is lost."""
    request = messages.verify_request(
        work.case.asking(prompt),
        ONLY_CHECKS,
        aggregator_pb2.AggregateResponse(
            representative=answer, tally=manifest_pb2.Tally(tier=step_id)
        ),
        FREE,
    )
    until = _until(work)
    try:
        with work.record.stage(manifest_pb2.STAGE_JUDGE, deadline=until, tier=step_id) as part:
            response = await work.mesh.verify(request, deadline=until)
    except GremiumError:
        work.judge_lost = work.record.degraded = True
        return None
    if response.verdict.kind == manifest_pb2.VERDICT_KIND_FAIL:
        response.verdict.tier = part.tier
        work.record.manifest.participations.append(part)
        work.record.judged(response.verdict)
    return response.verdict


def _until(work: Work) -> Deadline:
    return work.until.within(min(CHECKS_S, CHECKS_SHARE * work.until.left_s))
