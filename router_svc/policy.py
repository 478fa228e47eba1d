"""Routing policy: which tiers see a prompt, cheapest adequate first. Pure, no clock, no chance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router_svc.adequacy import juror_adequacy, tier_adequacy
from router_svc.eligibility import Filter, Limits, Seating, TierProfile, seated, spent
from router_svc.explain import Reading, Reason, jury_text, nobody_left_text, route_text
from services.core.errors import BudgetSpentError, NoEligibleTierError

ROUTER_VERSION: Final = "heuristics-2"
TIE: Final = 1e-9
"""Adequacies that differ by less are equal: sums of the same priors differ in their last bits."""


@dataclass(frozen=True, slots=True)
class Option:
    """A tier, who of it may be asked, and what to expect of them."""

    seating: Seating
    adequacy: float
    """In [0, 1]."""
    specialist: bool
    """Whether it is the specialist for the prompt's domain."""

    @property
    def name(self) -> str:
        return self.seating.tier.name


@dataclass(frozen=True, slots=True)
class Candidate:
    """How one tier, or one juror of a jury, was rated."""

    name: str
    adequacy: float
    cost_usd: float
    latency_s: float | None
    filtered: tuple[Filter, ...] = ()


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


def route(
    tiers: Sequence[TierProfile],
    reading: Reading,
    limits: Limits,
    *,
    min_adequacy: float,
    in_order: bool = False,
) -> Decision:
    """Order the tiers that can take a prompt: its specialist, else the cheapest adequate, first.

    `in_order` keeps the configured order instead.

    Raises
    ------
    BudgetSpentError
        If the lease allows no call at all.
    NoEligibleTierError
        If none can. It says why, juror by juror.
    """
    _check_lease(tiers, limits)
    options = [rated(tier, reading, limits) for tier in tiers]
    eligible = [option for option in options if option.seating.eligible]
    if not eligible:
        raise NoEligibleTierError(
            nobody_left_text("no tier can take this prompt", [o.seating for o in options])
        )

    ordered = configured_order if in_order else escalation
    order = ordered(eligible, min_adequacy=min_adequacy)
    reason = _reason(order[0], n_tiers=len(tiers), min_adequacy=min_adequacy)
    others = [option for option in eligible if option is not order[0]]
    runner_up = ordered(others, min_adequacy=min_adequacy)[0] if others else None
    return Decision(
        tiers=tuple(order),
        candidates=tuple(_tier_candidate(option) for option in options),
        reason=reason,
        reason_text=_text(order[0], reason, reading, min_adequacy),
        threshold=min_adequacy,
        runner_up=runner_up.name if runner_up else "",
        margin=order[0].adequacy - runner_up.adequacy if runner_up else 0.0,
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
        candidates=tuple(_juror_candidates(option.seating, reading.complexity.score)),
        reason=Reason.JURY,
        reason_text=jury_text(option.seating, reading),
    )


def rated(tier: TierProfile, reading: Reading, limits: Limits) -> Option:
    """Seat a tier and predict its adequacy."""
    seating = seated(tier, reading.demand, limits)
    specialist = bool(reading.match.domain) and reading.match.domain in tier.domains
    jurors = juror_adequacy(
        np.array([seat.juror.adequacy for seat in seating.rated]),
        complexity=reading.complexity.score,
        specialist=specialist,
    )
    return Option(seating, tier_adequacy(jurors), specialist)


def escalation(options: Sequence[Option], *, min_adequacy: float) -> list[Option]:
    """Order eligible tiers: specialists of the prompt's domain, then the general ones.

    A specialist that matches comes first even when its predicted adequacy is
    below the threshold: it was configured for this, and the prediction is a
    guess. A specialist for another domain is left out unless no tier but such
    ones is left. No tier is predicted to be weaker than one before it.
    """
    specialists = [option for option in options if option.specialist]
    general = [option for option in options if not option.seating.tier.domains]
    first = _cascade(specialists, min_adequacy)
    floor = first[-1].adequacy - TIE if first else 0.0
    then = _cascade([option for option in general if option.adequacy >= floor], min_adequacy)
    return [*first, *then] or _cascade(options, min_adequacy)


def configured_order(options: Sequence[Option], *, min_adequacy: float) -> list[Option]:
    """Eligible tiers as configured, without those below the threshold.

    All stay when none reaches it. A specialist for another domain is left out
    unless no other tier is left.
    """
    adequate = [option for option in options if option.adequacy >= min_adequacy - TIE]
    candidates = adequate or list(options)
    fitting = [o for o in candidates if o.specialist or not o.seating.tier.domains]
    return fitting or candidates


def cascade_order(
    adequacy: NDArray[np.float64],
    cost_usd: NDArray[np.float64],
    latency_s: NDArray[np.float64],
    *,
    min_adequacy: float,
) -> NDArray[np.intp]:
    """Order tiers from the cheapest adequate one up to the strongest.

    A tier is kept if its adequacy reaches `min_adequacy` and is not below that
    of any cheaper kept tier, so no escalation loses quality; among equals a
    second opinion is worth its price. The most adequate tiers are always kept,
    even when none reaches the threshold.

    Parameters
    ----------
    adequacy : ndarray of float64, shape (n_tiers,)
        Predicted probability that each tier answers adequately, in [0, 1].
    cost_usd : ndarray of float64, shape (n_tiers,)
        Expected cost of one pass per tier, in US dollars, >= 0.
    latency_s : ndarray of float64, shape (n_tiers,)
        Expected seconds to each tier's answer, >= 0. Of equally dear tiers the
        faster counts as cheaper, then the one that comes first.
    min_adequacy : float
        Threshold in (0, 1].

    Returns
    -------
    ndarray of intp, shape (n_kept,)
        Tier indices in escalation order; 1 <= n_kept <= n_tiers.

    Raises
    ------
    ValueError
        If the arrays are empty, differ in shape, or hold a NaN.

    Notes
    -----
    Trying models from cheap to strong is the LLM cascade of FrugalGPT [1]_;
    thresholding a predicted win rate is RouteLLM's router [2]_. O(n log n).

    References
    ----------
    .. [1] L. Chen, M. Zaharia, J. Zou. FrugalGPT. arXiv:2305.05176, 2023.
    .. [2] I. Ong et al. RouteLLM. arXiv:2406.18665, 2024.

    Examples
    --------
    >>> costs, seconds = np.array([1.0, 2.0, 3.0]), np.ones(3)
    >>> cascade_order(np.array([0.4, 0.8, 0.9]), costs, seconds, min_adequacy=0.5)
    array([1, 2])
    """
    if adequacy.size == 0 or not adequacy.shape == cost_usd.shape == latency_s.shape:
        raise ValueError(
            f"adequacy {adequacy.shape}, cost_usd {cost_usd.shape} and latency_s {latency_s.shape} "
            "must match and not be empty"
        )
    if np.isnan(adequacy).any() or np.isnan(cost_usd).any() or np.isnan(latency_s).any():
        raise ValueError("adequacy, cost_usd and latency_s must not hold NaN")

    by_cost = np.lexsort((latency_s, cost_usd))
    ranked = adequacy[by_cost]
    at_least = min(min_adequacy, ranked.max())
    kept = ranked >= np.maximum(np.maximum.accumulate(ranked), at_least) - TIE
    order: NDArray[np.intp] = by_cost[kept]
    return order


def _cascade(options: Sequence[Option], min_adequacy: float) -> list[Option]:
    """Order options; without a latency of each, cost and configured order decide alone."""
    if not options:
        return []
    latencies_s = [option.seating.latency_s for option in options]
    order = cascade_order(
        np.array([option.adequacy for option in options]),
        np.array([option.seating.cost_usd for option in options]),
        np.array([0.0 if None in latencies_s else latency_s for latency_s in latencies_s]),
        min_adequacy=min_adequacy,
    )
    return [options[i] for i in order]


def _check_lease(tiers: Sequence[TierProfile], limits: Limits) -> None:
    if limit := spent(tiers, limits.lease):
        raise BudgetSpentError(f"nothing is left to ask a juror with: {limit}", limit=limit)


def _reason(first: Option, *, n_tiers: int, min_adequacy: float) -> Reason:
    if n_tiers == 1:
        return Reason.ONLY_TIER
    if first.specialist:
        return Reason.SPECIALIST
    return (
        Reason.CHEAPEST_ADEQUATE if first.adequacy >= min_adequacy - TIE else Reason.MOST_ADEQUATE
    )


def _text(first: Option, reason: Reason, reading: Reading, min_adequacy: float) -> str:
    return route_text(
        first.seating, reason, reading, adequacy=first.adequacy, min_adequacy=min_adequacy
    )


def _tier_candidate(option: Option) -> Candidate:
    seating = option.seating
    return Candidate(
        option.name, option.adequacy, seating.cost_usd, seating.latency_s, seating.filtered
    )


def _juror_candidates(seating: Seating, complexity: float) -> Iterable[Candidate]:
    filters = {objection.juror: (objection.filter,) for objection in seating.objections}
    priors = np.array([seat.juror.adequacy for seat in seating.everyone])
    adequacy = juror_adequacy(priors, complexity=complexity, specialist=False)
    for seat, p in zip(seating.everyone, adequacy, strict=True):
        name, latency_s = seat.juror.name, seat.juror.expected_latency_s
        yield Candidate(name, float(p), seat.cost_usd, latency_s, filters.get(name, ()))
