"""Who can do the steps of a plan, and what to expect of them on one task. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from router_svc.explain import Reading
from router_svc.gate import Prospect
from router_svc.options import Option, rated
from router_svc.profiles import Limits, TierProfile

USUAL_S: Final = 5.0
"""Expected time of a tier of which it is not known."""
SEARCH: Final = Prospect(1.0, 2.0, calls=0)
"""A search asks no model; what it finds is judged by who reads it."""


@dataclass(frozen=True, slots=True)
class Doer:
    """A model, an ensemble or a search that can do something."""

    name: str
    """Roster name of the model, or name of the ensemble, or the folder."""
    tiers: tuple[TierProfile, ...] = ()
    """Who answers; none: a search."""
    needs_all: bool = False
    """Whether its tiers are the steps of a graph, all of which are needed."""
    description: str = ""
    """What it is good at."""

    @property
    def searches(self) -> bool:
        return not self.tiers


@dataclass(frozen=True, slots=True)
class Staff:
    """Who can take part in a plan that is made for a question."""

    roles: Mapping[str, Doer]
    merge: Doer
    planner: str = ""
    """Roster name of the model that plans; empty: only rules do."""
    planner_timeout_s: float = 0.0


def prospect(doer: Doer, reading: Reading, limits: Limits, *, more_tokens: int = 0) -> Prospect:
    """What to expect of a doer on a task that was read, by priors or as learned.

    `more_tokens` come with the task: the question around it, outputs of others.
    """
    if doer.searches:
        return SEARCH
    options = [rated(tier, reading, limits) for tier in doer.tiers]
    asked = options if doer.needs_all else options[:1]
    found = [option.adequacy for option in options]
    more_usd = sum(_read_usd(option, more_tokens) for option in asked)
    seats = [seat for option in asked for seat in option.seating.rated]
    return Prospect(
        adequacy=float(np.prod(found)) if doer.needs_all else max(found),
        seconds=sum(_seconds(option) for option in asked),
        usd=sum(option.seating.cost_usd for option in asked) + more_usd,
        calls=len(seats),
        tokens=sum(seat.tokens + more_tokens for seat in seats),
    )


def best(roles: Mapping[str, Doer], reading: Reading, limits: Limits) -> str:
    """The role most likely to do a task well; of equals the cheapest, then the first."""
    found = {name: prospect(d, reading, limits) for name, d in roles.items() if not d.searches}
    return max(found, key=lambda name: (found[name].adequacy, -found[name].usd))


def _read_usd(option: Option, tokens: int) -> float:
    prices: Sequence[float] = [s.juror.input_usd_per_mtok for s in option.seating.rated]
    return sum(prices) * tokens / 1e6


def _seconds(option: Option) -> float:
    latency_s = option.seating.latency_s
    return USUAL_S if latency_s is None else latency_s
