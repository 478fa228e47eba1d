"""How one tier is rated for a prompt: who of it may be asked, and what to expect of them. Pure."""

from dataclasses import dataclass
from itertools import combinations, product
from math import sqrt
from typing import Final

from router_svc.adequacy import SHARED_FATE, interval, juror_adequacy, tier_adequacy
from router_svc.eligibility import Seating, seated
from router_svc.explain import Reading
from router_svc.forecast import Forecast
from router_svc.profiles import JurorProfile, Limits, TierProfile
from router_svc.seats import Seat

Z_90: Final = 1.6448536269514722
"""Standard errors from the estimate to either end of its 90 % interval."""
PRIOR_LABELS: Final = 1.0
"""Labels that a configured prior is worth beside predictions that were learned."""


@dataclass(frozen=True, slots=True)
class Belief:
    """A predicted adequacy."""

    value: float
    """In [0, 1]."""
    spread: float | None = None
    """Its standard error; None: a guess, of which none is known."""
    calibrated: bool = False
    n_labels: int = 0

    @property
    def bound(self) -> float:
        """One standard error below; a guess has no other."""
        return max(0.0, self.value - (self.spread or 0.0))

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 90 % interval."""
        if self.spread is None:
            return interval(self.value)
        half = Z_90 * self.spread
        return max(0.0, self.value - half), min(1.0, self.value + half)


@dataclass(frozen=True, slots=True)
class Option:
    """A tier, who of it may be asked, and what to expect of them."""

    seating: Seating
    belief: Belief
    specialist: bool
    """Whether it is the specialist for the prompt's domain."""

    @property
    def name(self) -> str:
        return self.seating.tier.name

    @property
    def adequacy(self) -> float:
        return self.belief.value

    @property
    def models(self) -> list[str]:
        """Roster names of those who are rated."""
        return [seat.juror.roster_name for seat in self.seating.rated]


def rated(tier: TierProfile, reading: Reading, limits: Limits) -> Option:
    """Seat a tier and predict its adequacy."""
    seating = seated(tier, reading.demand, limits, reading.forecast)
    specialist = bool(reading.match.domain) and reading.match.domain in tier.domains
    beliefs = [juror_belief(seat, reading, specialist=specialist) for seat in seating.rated]
    models = [seat.juror.roster_name for seat in seating.rated]
    return Option(seating, together(beliefs, shared_fate_of(models, reading.forecast)), specialist)


def juror_belief(seat: Seat, reading: Reading, *, specialist: bool = False) -> Belief:
    """The adequacy of one juror: as learned, else by its prior and the looks of the prompt."""
    known = seat.outlook
    if known is not None and known.n_labels:
        return Belief(known.adequacy, known.spread, known.calibrated, known.n_labels)
    guess = _guess(seat.juror, reading, specialist=specialist)
    if not reading.forecast.is_learned:
        return Belief(guess)
    return Belief(guess, sqrt(guess * (1.0 - guess) / (PRIOR_LABELS + 1.0)))


def correlation(one: Option, other: Option, forecast: Forecast) -> float | None:
    """How far the mistakes of two tiers come together; None: not learned of all their models."""
    pairs = list(product(one.models, other.models))
    known = [c for a, b in pairs if (c := _correlation(a, b, forecast)) is not None]
    return sum(known) / len(known) if len(known) == len(pairs) else None


def _guess(juror: JurorProfile, reading: Reading, *, specialist: bool) -> float:
    return juror_adequacy(
        juror.adequacy, complexity=reading.complexity.score, specialist=specialist
    )


def together(beliefs: list[Belief], shared_fate: float) -> Belief:
    """The belief in a majority; of one it is his own. Of several it is never calibrated."""
    if len(beliefs) == 1:
        return beliefs[0]
    value = tier_adequacy([belief.value for belief in beliefs], shared_fate=shared_fate)
    spread: float | None = None
    if any(belief.spread is not None for belief in beliefs):
        bound = tier_adequacy([belief.bound for belief in beliefs], shared_fate=shared_fate)
        spread = value - bound
    return Belief(value, spread, n_labels=min(belief.n_labels for belief in beliefs))


def shared_fate_of(models: list[str], forecast: Forecast) -> float:
    pairs = list(combinations(models, 2))
    known = [c for a, b in pairs if (c := _correlation(a, b, forecast)) is not None]
    if not known or len(known) < len(pairs):
        return SHARED_FATE
    return min(1.0, max(0.0, sum(known) / len(known)))


def _correlation(one: str, other: str, forecast: Forecast) -> float | None:
    return 1.0 if one == other else forecast.correlations.get((one, other))
