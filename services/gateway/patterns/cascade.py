"""Pattern cascade: ask tier after tier until an answer is good enough."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from gremium.v1 import manifest_pb2, router_pb2
from services.config.tree import CascadeEnsemble
from services.core.errors import GremiumError, NoEligibleTierError
from services.gateway import stages
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.mesh import Mesh
from services.gateway.patterns.escalation import Next, worth_asking
from services.gateway.patterns.tiers import ANOTHER_TIER_MAY_ANSWER, better, escalate, kept, window
from services.gateway.record import Record

AGREED = 1.0
"""Confidence in what two tiers say alike."""


async def cascade(case: Case, *, accept_at: float, mesh: Mesh, record: Record) -> Ending:
    """Try the tiers in order; stop at the first that is sure, or that agrees with one before.

    With `escalate`, and where P(correct) of the answer in hand is calibrated or
    there is none, a tier is asked as long as that is worth its price. A tier that
    fails never costs what an earlier one gave.

    Raises
    ------
    QuorumNotReachedError
        If the last tier that was asked had too few answers, and no
        earlier one had enough.
    GremiumError
        If a stage failed before any tier had ended.
    """
    tiers = await stages.route(case, mesh=mesh, record=record)

    hand: list[Ending] = []
    failure: GremiumError = NoEligibleTierError("the router named no tier")
    while tiers:
        try:
            ending = await _try(case, tiers, hand, accept_at=accept_at, mesh=mesh, record=record)
        except ANOTHER_TIER_MAY_ANSWER as err:
            failure = err
            coming = _by_worth(case, tiers, hand, record) or Next(tiers[1:])
            escalate(record, [tiers[0], *coming.tiers], reason_text=str(err))
            tiers = list(coming.tiers)
            continue
        except GremiumError as err:
            return kept(surest(hand), err, record)
        hand.append(ending)
        coming = _next(case, tiers, hand, accept_at=accept_at, record=record)
        escalate(
            record,
            [tiers[0], *coming.tiers],
            reason_text=coming.why,
            confidence=ending.confidence,
        )
        tiers = list(coming.tiers)

    return kept(surest(hand), failure, record)


def _next(
    case: Case,
    tiers: Sequence[router_pb2.Tier],
    hand: Sequence[Ending],
    *,
    accept_at: float,
    record: Record,
) -> Next:
    """Whom to ask after the first of these tiers; nobody where its ending is good enough."""
    ending = hand[-1]
    if ending.judge_lost or ending.confidence == AGREED:
        return Next(())
    weighed = _by_worth(case, tiers, hand, record)
    if weighed is not None:
        return weighed if _is_answered(ending) else replace(weighed, why=ending.reason_text)
    if is_sure(ending, at=accept_at):
        return Next(())
    return Next(tiers[1:], doubt(ending, at=accept_at))


def _by_worth(
    case: Case, tiers: Sequence[router_pb2.Tier], hand: Sequence[Ending], record: Record
) -> Next | None:
    """Whom to ask next by what that is worth; None where that is not asked for, or not known."""
    terms = case.ensemble.escalate if isinstance(case.ensemble, CascadeEnsemble) else None
    if terms is None:
        return None
    answered = {each.answer.tier for each in hand if _is_answered(each) and each.answer}
    return worth_asking(case, terms, record.manifest, tiers, record.lease, answered=answered)


async def _try(
    case: Case,
    tiers: Sequence[router_pb2.Tier],
    hand: Sequence[Ending],
    *,
    accept_at: float,
    mesh: Mesh,
    record: Record,
) -> Ending:
    """Ask the first of these tiers; of an earlier answer that it confirms, the earlier one."""
    until = window(case, tiers)
    ending = await stages.try_tier(case, tiers[0], until=until, mesh=mesh, record=record)
    earlier = [each for each in hand if _is_answered(each)]
    if not earlier or not _is_answered(ending) or is_sure(ending, at=accept_at):
        return ending
    answers = [each.answer for each in (*earlier, ending) if each.answer is not None]
    confirmed = await stages.agreeing(
        case, answers, tier=tiers[0].name, until=until, mesh=mesh, record=record
    )
    if confirmed is None:
        return ending
    return replace(earlier[confirmed], confidence=AGREED)


def _is_answered(ending: Ending) -> bool:
    return ending.outcome == manifest_pb2.OUTCOME_ANSWERED


def is_sure(ending: Ending, *, at: float) -> bool:
    """Whether an answer is accepted without asking anybody else."""
    return _is_answered(ending) and ending.confidence is not None and ending.confidence >= at


def doubt(ending: Ending, *, at: float) -> str:
    """Why an ending is not enough, as words."""
    if not _is_answered(ending):
        return ending.reason_text
    if ending.confidence is None:
        return "nothing is known of the confidence in its answer"
    return f"the confidence in its answer is {ending.confidence:.2f}; {at:.2f} is needed"


def surest(hand: Sequence[Ending]) -> Ending | None:
    """The best of what the tiers gave, in their order; None of nothing."""
    return reduce(surer, hand) if hand else None


def surer(earlier: Ending, later: Ending) -> Ending:
    """The later ending, unless the earlier one is the only answer or more is known for it."""
    if not (_is_answered(earlier) and _is_answered(later)):
        return earlier if _is_answered(earlier) else better(earlier, later)
    return earlier if _known_for(earlier) > _known_for(later) else later


def _known_for(ending: Ending) -> tuple[bool, bool, float]:
    """What speaks for an answer, most important first: its verdict, then its confidence."""
    known = ending.confidence is not None
    return not ending.unjudged, known, ending.confidence or 0.0
