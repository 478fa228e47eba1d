"""What the router read in a prompt, and its decision in words a person understands. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from router_svc.complexity import Complexity
from router_svc.demand import Demand
from router_svc.domain import Match
from router_svc.eligibility import Seating
from router_svc.forecast import NOTHING, Forecast
from router_svc.recording import Recorded

MAX_NAMED: Final = 12
"""Objections that a text spells out; an error's trailers have no room for more."""


class Reason(StrEnum):
    """Why a route was chosen."""

    ONLY_TIER = "only_tier"
    SPECIALIST = "specialist"
    CHEAPEST_ADEQUATE = "cheapest_adequate"
    MOST_ADEQUATE = "most_adequate"
    JURY = "jury"
    BEST_VALUE = "best_value"
    STRONG = "strong"
    WEAK = "weak"
    FIXED = "fixed"
    NOVEL = "novel"
    EXPLORED = "explored"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the router made of a prompt."""

    demand: Demand
    complexity: Complexity
    match: Match
    note: str = ""
    """Why it has no domain, when none could be looked for."""
    forecast: Forecast = NOTHING
    """What was learned that bears on it."""
    recorded: Recorded | None = None
    """What is kept of it to learn from; None: nothing is."""


def route_text(
    first: Seating,
    reason: Reason,
    reading: Reading,
    *,
    adequacy: float,
    bound: float,
    threshold: float,
    runner_up: str,
) -> str:
    """Why the tier `first` comes first, as one sentence."""
    p, at = _percent(adequacy, bound), f"{threshold:.2f}"
    why = {
        Reason.ONLY_TIER: f"the ensemble has one tier; its predicted adequacy is {p}",
        Reason.SPECIALIST: f"specialist for {reading.match.domain} with predicted adequacy {p}",
        Reason.CHEAPEST_ADEQUATE: f"cheapest tier whose predicted adequacy {p} reaches {at}",
        Reason.MOST_ADEQUATE: f"no tier is predicted to reach {at}; the most adequate has {p}",
        Reason.BEST_VALUE: f"worth most beyond its price, with predicted adequacy {p}",
        Reason.STRONG: f"the strong tier is expected to help by {at} or more; adequacy {p}",
        Reason.WEAK: f"the strong tier is expected to help by less than {at}; adequacy {p}",
        Reason.EXPLORED: f"drawn to learn of it, with predicted adequacy {p}",
        Reason.FIXED: f"the configured tier, with predicted adequacy {p}",
        Reason.NOVEL: f"the tier for prompts unlike all that was learned from; adequacy {p}",
    }[reason]
    other = [f"runner-up {runner_up}"] if runner_up else []
    return "; ".join([why, *other, *_learned(first, reading), *_circumstances(reading),
                      *_left_out(first)])  # fmt: skip


def jury_text(jury: Seating, reading: Reading) -> str:
    """Who is asked, as one sentence."""
    why = f"{len(jury.seats)} of {len(jury.everyone)} jurors at once, quorum {jury.quorum}"
    return "; ".join([why, *_circumstances(reading), *_left_out(jury)])


def nobody_left_text(what: str, seatings: Sequence[Seating]) -> str:
    """Why nobody can be asked, juror by juror."""
    objections = [(s.tier.name, o) for s in seatings for o in s.objections]
    named = [f"{tier}/{o.juror} {o.filter.upper()}: {o.text}" for tier, o in objections[:MAX_NAMED]]
    more = len(objections) - len(named)
    return f"{what}: {'; '.join([*named, f'{more} more are left out'] if more else named)}"


def _percent(adequacy: float, bound: float) -> str:
    """An adequacy, and what it is at least where that is known."""
    return f"{adequacy:.2f}" + (f" (at least {bound:.2f})" if bound < adequacy else "")


def _learned(first: Seating, reading: Reading) -> list[str]:
    """What to know of the forecast behind a choice."""
    forecast = reading.forecast
    cold = [seat.juror.name for seat in first.rated if seat.outlook and seat.outlook.cold]
    told = [f"too little was learned of {', '.join(cold)}"] if cold else []
    if forecast.novel and not forecast.note:
        told.append("the prompt is unlike all that was learned from")
    return [*told, forecast.note] if forecast.note else told


def _circumstances(reading: Reading) -> list[str]:
    complexity = f"complexity {reading.complexity.score:.2f}"
    if largest := reading.complexity.contributions[:1]:
        complexity += f", most of it {largest[0].feature}"
    domain = f"domain {reading.match.domain}" if reading.match.domain else reading.note
    return [complexity, domain] if domain else [complexity]


def _left_out(seating: Seating) -> list[str]:
    named = [f"{o.juror} is left out: {o.text}" for o in seating.objections[:MAX_NAMED]]
    more = len(seating.objections) - len(named)
    return [*named, f"{more} more are left out"] if more else named
