"""The steps that patterns are made of: ask a stage, record what it says."""

import logging
from collections.abc import Sequence
from typing import Final

from gremium.v1 import aggregator_pb2, jury_pb2, manifest_pb2, router_pb2, types_pb2
from services.config.tree import Judge
from services.core.deadline import Deadline
from services.core.errors import (
    BudgetSpentError,
    GremiumError,
    OverloadedError,
    QuorumNotReachedError,
)
from services.core.lease import Call, Lease
from services.gateway import budget, estimates, fallbacks, losses, messages, reserves, synthesis
from services.gateway.case import Case
from services.gateway.confidence import agrees_with, confidence
from services.gateway.ending import Ending
from services.gateway.failures import LOST, how_it_ended, no_verdict
from services.gateway.learned import match_of, say_uncalibrated
from services.gateway.mesh import Mesh
from services.gateway.ranking import standings
from services.gateway.record import Record

logger = logging.getLogger(__name__)

BUSY: Final = frozenset({"OVERLOADED", "THROTTLED"})
"""Why a model takes no call for now, though it works."""

COUNTING_S: Final = 0.2
"""Seconds kept back from comparing the answers to count them."""
NOTHING: Final = Lease(0.0, 0, 0)


async def route(case: Case, *, mesh: Mesh, record: Record) -> list[router_pb2.Tier]:
    """Let the router choose the tiers to try, in order; at least one.

    For want of a router the configured default tier comes first.

    Raises
    ------
    BudgetSpentError
        If the budget allows no call at all.
    GremiumError
        If no tier can take the request, or the time is over.
    """
    _afford(record.lease, free=estimates.has_free_juror(case))
    left_s = case.deadline.left_s
    window_s = reserves.window_s(left_s, allowed_s=case.allowed_s)
    request = messages.route_request(case, record.lease, juror_time_s=_jury_s(case, window_s))
    until = case.deadline.within(reserves.router_s(left_s, allowed_s=case.allowed_s))
    try:
        with record.stage(manifest_pb2.STAGE_ROUTER, deadline=until):
            decision = (await mesh.route(request, deadline=until)).decision
    except LOST as err:
        if case.deadline.left_s == 0.0:
            raise
        decision = fallbacks.default_route(case, err)
        _degrade(record, "router", err)

    record.routed(decision)
    return list(decision.tiers)


def _degrade(record: Record, stage: str, error: GremiumError) -> None:
    record.degraded = True
    logger.warning("%s is replaced by its fallback: %s", stage, error)


async def try_tier(
    case: Case, tier: router_pb2.Tier, *, until: Deadline, mesh: Mesh, record: Record
) -> Ending:
    """Deliberate, aggregate, and verify the representative.

    Raises
    ------
    BudgetSpentError
        If too little is left to ask as many jurors as the quorum needs.
    QuorumNotReachedError
        If too few jurors answered.
    GremiumError
        If the jury failed.
    """
    aggregated = await tallied(case, tier, until=until, mesh=mesh, record=record)
    if not aggregated.tally.consensus:
        return Ending(manifest_pb2.OUTCOME_NO_CONSENSUS, reason_text=aggregated.tally.reason_text)
    if case.ensemble.judge is None:
        return _answered(aggregated, unjudged=True)
    return await verify(
        case, case.ensemble.judge, aggregated, until=until, mesh=mesh, record=record
    )


async def tallied(
    case: Case, tier: router_pb2.Tier, *, until: Deadline, mesh: Mesh, record: Record
) -> aggregator_pb2.AggregateResponse:
    """Deliberate and aggregate: what a tier says before anybody audits it.

    Raises
    ------
    GremiumError
        As `try_tier` does.
    """
    _afford(record.lease, free=True)  # whom money lacks for, the jury knows
    deliberated = await _deliberate(case, tier, until=until, mesh=mesh, record=record)
    return await _decide(case, tier, deliberated, until=until, mesh=mesh, record=record)


def _afford(lease: Lease, *, free: bool) -> None:
    if limit := lease.exhausted(free=free):
        raise BudgetSpentError(f"nothing is left of the budget's {limit}", limit=limit)


async def _deliberate(
    case: Case, tier: router_pb2.Tier, *, until: Deadline, mesh: Mesh, record: Record
) -> jury_pb2.DeliberateResponse:
    spendable, kept = _before_verdict(case, tier, record.lease)
    request = messages.deliberate_request(case, tier, spendable)
    seats = losses.jury_seats(case, tier, spendable)
    until = until.within(_jury_s(case, until.left_s))
    with (
        record.keeping(kept, of=spendable),
        record.stage(manifest_pb2.STAGE_JURY, deadline=until, tier=tier.name, seats=seats),
    ):
        response = await mesh.deliberate(
            request, deadline=until, watch=record.jury_watch(tier.name)
        )
        record.deliberated(response, tier=tier.name)

    if not response.quorum_met:
        raise _too_few(response, quorum=tier.quorum, models_asked=record.models_asked)
    return response


def _before_verdict(case: Case, tier: router_pb2.Tier, lease: Lease) -> tuple[Lease, Lease]:
    """What the jury may spend, retries included, and what is kept for the models after it."""
    if lease == Lease():
        return lease, NOTHING
    read, jurors = estimates.reading(case), messages.jurors(case, tier)
    answer = max(read.writes(juror.model) for juror in jurors)
    later = [
        _synthesis_calls(case, read, answers=len(jurors), tokens=answer),
        estimates.verdict_calls(case.ensemble, read, tier=tier.name, answer_tokens=answer),
    ]
    if not any(later):
        return lease, NOTHING
    return budget.before_jury(
        lease,
        estimates.juror_calls(jurors, read),
        *(calls for calls in later if calls),
        quorum=tier.quorum,
    )


def _synthesis_calls(
    case: Case, read: estimates.Reading, *, answers: int, tokens: int
) -> list[Call]:
    if synthesis.wanted(case) is None:
        return []
    return estimates.synthesis_calls(case.ensemble, read, answers=answers, tokens=tokens)


def _too_few(
    response: jury_pb2.DeliberateResponse, *, quorum: int, models_asked: bool
) -> GremiumError:
    """Why there was no quorum: too few answered or could be paid, or all models were busy."""
    if not models_asked and any(part.reason in BUSY for part in response.participations):
        return OverloadedError("no model was asked: too many calls wait for them already")
    unpaid = sum(part.reason == BudgetSpentError.reason for part in response.participations)
    paid = len(response.participations) - unpaid
    if paid < quorum:
        return BudgetSpentError(
            f"the budget pays for {paid} jurors; the quorum is {quorum}", paid=paid, quorum=quorum
        )
    return QuorumNotReachedError.counting(
        answered=len(response.answers),
        quorum=quorum,
        missing=[how_it_ended(part) for part in response.participations if _is_missing(part)],
    )


def _is_missing(part: manifest_pb2.Participation) -> bool:
    return part.status != manifest_pb2.PARTICIPATION_STATUS_ANSWERED


def _jury_s(case: Case, window_s: float) -> float:
    """Seconds of a tier's window for its jurors: before comparisons, a synthesis and the audit."""
    compares = case.ensemble.aggregate.method == "weighted"
    left_s = _before_judge_s(case, window_s)
    left_s -= reserves.synthesis_s(left_s, timeout_s=synthesis.timeout_s(case))
    return _before_judge_s(case, left_s) if compares else left_s


def _before_judge_s(case: Case, window_s: float) -> float:
    """Seconds of a window that may pass before the judge is asked."""
    judge = case.ensemble.judge
    return window_s - reserves.judge_s(window_s, timeout_s=judge.timeout_s if judge else 0.0)


def _before_audit_s(case: Case, left_s: float) -> float:
    """Seconds of what a jury left that may pass before its answer is audited."""
    judge = case.ensemble.judge
    if judge is None or synthesis.wanted(case) is None:
        return _before_judge_s(case, left_s)
    return left_s - reserves.verdict_s(left_s, timeout_s=judge.timeout_s)


async def _decide(
    case: Case,
    tier: router_pb2.Tier,
    deliberated: jury_pb2.DeliberateResponse,
    *,
    until: Deadline,
    mesh: Mesh,
    record: Record,
) -> aggregator_pb2.AggregateResponse:
    """Decide between a tier's answers; for want of an aggregator its best juror's stands."""
    before_verdict = until.within(_before_audit_s(case, until.left_s))
    writing_s = reserves.synthesis_s(before_verdict.left_s, timeout_s=synthesis.timeout_s(case))
    compared = await standings(
        case,
        deliberated.answers,
        tier=tier.name,
        until=before_verdict.reserve(max(COUNTING_S, writing_s)),
        mesh=mesh,
        record=record,
    )
    request = messages.aggregate_request(case, tier, deliberated.answers, compared)
    until = before_verdict
    try:
        response = await synthesis.aggregate(
            case, request, tier=tier.name, until=until, mesh=mesh, record=record
        )
    except LOST as err:
        if case.deadline.left_s == 0.0:
            raise
        response = fallbacks.best_juror(case, tier, deliberated.answers)
        _degrade(record, "aggregator", err)

    response.tally.standings.extend(compared)
    say_uncalibrated(response.tally, match_of(case, messages.configured(case, tier)))
    record.aggregated(response, tier=tier.name)
    return response


async def agreeing(
    case: Case,
    answers: Sequence[types_pb2.Answer],
    *,
    tier: str,
    until: Deadline,
    mesh: Mesh,
    record: Record,
) -> int | None:
    """Index of the first of the earlier answers that says what the last one does.

    None when there is none, or when no aggregator is there to compare them.
    """
    last = str(len(answers) - 1)
    request = messages.comparison(case, answers)
    try:
        compared = await synthesis.decided(request, tier, until=until, mesh=mesh, record=record)
    except LOST as err:
        _degrade(record, "aggregator", err)
        return None
    return min((int(name) for name in agrees_with(compared.tally, last)), default=None)


async def verify(
    case: Case,
    judge: Judge,
    aggregated: aggregator_pb2.AggregateResponse,
    *,
    until: Deadline,
    mesh: Mesh,
    record: Record,
) -> Ending:
    """A judge that is down costs the verdict, and the answer only where it fails closed."""
    request = messages.verify_request(
        case,
        judge,
        aggregated,
        record.lease,
        late=record.late_judges,
        given=record.manifest.answers,
    )
    seats = losses.judge_seats(case, judge, aggregated, record.lease)
    tier = aggregated.tally.tier
    try:
        with record.stage(manifest_pb2.STAGE_JUDGE, deadline=until, tier=tier, seats=seats) as part:
            response = await mesh.verify(request, deadline=until)
    except GremiumError as err:
        _degrade(record, "judge", err)
        record.judged(no_verdict(err, juror=aggregated.representative.juror, tier=tier))
        return _unjudged(judge, aggregated, judge_lost=True)

    record.verified(response, part)
    return _judged(case, judge, aggregated, response.verdict)


def _judged(
    case: Case,
    judge: Judge,
    aggregated: aggregator_pb2.AggregateResponse,
    verdict: manifest_pb2.Verdict,
) -> Ending:
    if verdict.kind == manifest_pb2.VERDICT_KIND_FAIL or verdict.unsafe:
        given = case.ensemble.deliver_rejected and not verdict.unsafe
        return Ending(
            manifest_pb2.OUTCOME_REJECTED,
            aggregated.representative if given else None,
            reason_text=verdict.reason_text,
        )
    if verdict.kind == manifest_pb2.VERDICT_KIND_PASS:
        return _answered(aggregated, unjudged=False, verdict=verdict)
    return _unjudged(judge, aggregated)


def _unjudged(
    judge: Judge, aggregated: aggregator_pb2.AggregateResponse, *, judge_lost: bool = False
) -> Ending:
    """Without a verdict the configuration decides."""
    if judge.on_failure == "closed":
        return Ending(
            manifest_pb2.OUTCOME_REJECTED,
            unjudged=True,
            judge_lost=judge_lost,
            reason_text="nobody judged the answer",
        )
    return _answered(aggregated, unjudged=True)


def _answered(
    aggregated: aggregator_pb2.AggregateResponse,
    *,
    unjudged: bool,
    verdict: manifest_pb2.Verdict | None = None,
) -> Ending:
    return Ending(
        manifest_pb2.OUTCOME_ANSWERED,
        aggregated.representative,
        unjudged=unjudged,
        confidence=confidence(aggregated, verdict),
    )
