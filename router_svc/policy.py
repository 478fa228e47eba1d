"""Routing: which tiers see a prompt, by the ensemble's policy. Pure, no clock, no chance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from router_svc.eligibility import Seating, spent
from router_svc.explain import Reading, Reason, jury_text, nobody_left_text, route_text
from router_svc.exploring import Draw
from router_svc.forecast import NOTHING
from router_svc.options import Belief, Option, correlation, juror_belief, rated
from router_svc.picking import Pick, pick
from router_svc.profiles import Filter, Limits, Objection, TierProfile
from router_svc.seats import Seat
from router_svc.terms import Rule, Terms
from services.core.errors import BudgetSpentError, NoEligibleTierError

ROUTER_VERSION: Final = "policies-1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """How one tier, or one juror of a jury, was rated."""

    name: str
    belief: Belief
    seats: tuple[Seat, ...]
    """Whose answers are predicted."""
    cost_usd: float
    cost_p90_usd: float | None = None
    latency_s: float | None = None
    latency_p95_s: float | None = None
    on_time: float | None = None
    """Probability to answer in time; None: not known."""
    utility: float | None = None
    filtered: tuple[Filter, ...] = ()
    objections: tuple[Objection, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Which tiers see a prompt, and why."""

    tiers: tuple[Option, ...]
    """In the order to try them; never empty."""
    candidates: tuple[Candidate, ...]
    reason: Reason
    reason_text: str
    threshold: float = 0.0
    runner_up: str = ""
    margin: float = 0.0
    rule: Rule | None = None
    """Policy that decided; None: the pattern chooses no tier."""
    price_of_money: float = 0.0
    draw: Draw | None = None
    """How the first tier was drawn; None: not by chance."""


def route(tiers: Sequence[TierProfile], reading: Reading, limits: Limits, terms: Terms) -> Decision:
    """Choose the tiers for a prompt: the hard filters first, then the policy.

    Raises
    ------
    BudgetSpentError
        If the lease allows no call at all.
    NoEligibleTierError
        If none is left. It says why, juror by juror.
    """
    _check_lease(tiers, limits)
    reading = _read_by(terms, reading)
    options = [rated(tier, reading, limits) for tier in tiers]
    eligible = [option for option in options if option.seating.eligible]
    if not eligible:
        raise NoEligibleTierError(
            nobody_left_text("no tier can take this prompt", [o.seating for o in options])
        )

    picked = pick(eligible, reading, limits, terms)
    first, *_ = picked.order
    others = [option for option in eligible if option is not first]
    sober = replace(terms, explore=None)
    runner_up = pick(others, reading, limits, sober).order[0] if others else None
    return Decision(
        tiers=picked.order,
        candidates=tuple(_tier_candidate(option, limits, picked) for option in options),
        reason=Reason.ONLY_TIER if len(tiers) == 1 else picked.reason,
        reason_text=_text(picked, runner_up, reading, only=len(tiers) == 1),
        threshold=picked.threshold,
        runner_up=runner_up.name if runner_up else "",
        margin=first.adequacy - runner_up.adequacy if runner_up else 0.0,
        rule=picked.rule,
        price_of_money=picked.price_of_money,
        draw=picked.draw,
    )


def convene(jury: TierProfile, reading: Reading, limits: Limits) -> Decision:
    """Ask all jurors who can take a prompt at once.

    The configured quorum stands; a quorum left to the default is more than
    half of those who are asked.

    Raises
    ------
    BudgetSpentError
        If the lease allows no call at all.
    NoEligibleTierError
        If too few can. It says why, juror by juror.
    """
    _check_lease([jury], limits)
    option = rated(jury, reading, limits)
    if not option.seating.eligible:
        left, needed = len(option.seating.seats), jury.quorum or 1
        what = f"{left} jurors can take this prompt; the quorum is {needed}"
        raise NoEligibleTierError(nobody_left_text(what, [option.seating]))
    return Decision(
        tiers=(option,),
        candidates=tuple(_juror_candidates(option.seating, reading, limits)),
        reason=Reason.JURY,
        reason_text=jury_text(option.seating, reading),
    )


def correlations(decision: Decision, reading: Reading) -> dict[tuple[str, str], float]:
    """How far the mistakes of two tiers of a decision come together, where that was learned."""
    pairs = ((a, b) for a in decision.tiers for b in decision.tiers if a is not b)
    known = ((a, b, correlation(a, b, reading.forecast)) for a, b in pairs)
    return {(a.name, b.name): c for a, b, c in known if c is not None}


def _read_by(terms: Terms, reading: Reading) -> Reading:
    """What a policy may know of a prompt."""
    return replace(reading, forecast=NOTHING) if terms.rule is Rule.HEURISTICS else reading


def _check_lease(tiers: Sequence[TierProfile], limits: Limits) -> None:
    if limit := spent(tiers, limits.lease):
        raise BudgetSpentError(f"nothing is left to ask a juror with: {limit}", limit=limit)


def _text(picked: Pick, runner_up: Option | None, reading: Reading, *, only: bool) -> str:
    first = picked.order[0]
    return route_text(
        first.seating,
        Reason.ONLY_TIER if only else picked.reason,
        reading,
        adequacy=first.adequacy,
        bound=first.belief.bound,
        threshold=picked.threshold,
        runner_up=runner_up.name if runner_up else "",
    )


def _tier_candidate(option: Option, limits: Limits, picked: Pick) -> Candidate:
    seating = option.seating
    return Candidate(
        option.name,
        option.belief,
        seating.rated,
        seating.cost_usd,
        seating.cost_p90_usd,
        seating.latency_s,
        seating.latency_p95_s,
        seating.on_time(limits.time_s) if limits.timed else None,
        picked.utilities.get(option.name),
        seating.filtered,
        seating.objections,
    )


def _juror_candidates(seating: Seating, reading: Reading, limits: Limits) -> Iterable[Candidate]:
    objections = {objection.juror: objection for objection in seating.objections}
    for seat in seating.everyone:
        against = objections.get(seat.juror.name)
        yield Candidate(
            seat.juror.name,
            juror_belief(seat, reading),
            (seat,),
            seat.cost_usd,
            seat.cost_p90_usd,
            seat.latency.p50_s if seat.latency else None,
            seat.latency.p95_s if seat.latency else None,
            seat.on_time(limits.time_s) if limits.timed else None,
            None,
            (against.filter,) if against else (),
            (against,) if against else (),
        )
