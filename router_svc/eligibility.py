"""Which jurors of a tier can take a prompt within its limits, and what they would take. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from router_svc.demand import Demand
from router_svc.forecast import NOTHING, Forecast
from router_svc.objections import objection, unaffordable
from router_svc.profiles import Filter, Limits, Objection, TierProfile
from router_svc.seats import Seat, seat_of
from services.core.lease import Lease
from services.core.probability import at_least


@dataclass(frozen=True)
class Seating:
    """Who of a tier may be asked. Without slots, so that what is worked out once can be kept."""

    tier: TierProfile
    everyone: tuple[Seat, ...]
    """All jurors of the tier, in configured order."""
    seats: tuple[Seat, ...]
    """Those who may be asked, in the same order."""
    objections: tuple[Objection, ...]

    @cached_property
    def quorum(self) -> int:
        """Usable answers needed; 0 when those who are left cannot give them."""
        left = len(self.seats)
        needed = left // 2 + 1 if self.tier.quorum is None else self.tier.quorum
        return needed if needed <= left else 0

    @cached_property
    def eligible(self) -> bool:
        return self.quorum > 0

    @cached_property
    def filtered(self) -> tuple[Filter, ...]:
        """Why the tier cannot be asked, when it cannot."""
        kinds = {objection.filter for objection in self.objections}
        return () if self.eligible else tuple(kind for kind in Filter if kind in kinds)

    @cached_property
    def rated(self) -> tuple[Seat, ...]:
        """Those whose answers are predicted: who may be asked, or everyone if too few may."""
        return self.seats if self.eligible else self.everyone

    @cached_property
    def cost_usd(self) -> float:
        """Expected cost of one pass."""
        return sum(seat.cost_usd for seat in self.rated)

    @cached_property
    def cost_p90_usd(self) -> float | None:
        """What nine of ten answers cost less than, summed; None: not learned of every juror."""
        dear = [seat.cost_p90_usd for seat in self.rated]
        known = [usd for usd in dear if usd is not None]
        return sum(known) if len(known) == len(dear) else None

    @cached_property
    def latency_s(self) -> float | None:
        """Expected time to the quorum and, for stragglers, the grace; None: not known."""
        return self._until_quorum_s(lambda seat: seat.latency.p50_s if seat.latency else None)

    @cached_property
    def latency_p95_s(self) -> float | None:
        """The same where each juror is as slow as 95 of 100 answers; None: not known."""
        return self._until_quorum_s(lambda seat: seat.latency.p95_s if seat.latency else None)

    def on_time(self, time_s: float) -> float | None:
        """Probability that a quorum answers in time; None: not known of every juror."""
        chances = [seat.on_time(time_s) for seat in self.rated]
        known = [chance for chance in chances if chance is not None]
        return at_least(self._wanted, known) if len(known) == len(chances) else None

    @cached_property
    def _wanted(self) -> int:
        """Answers to wait for."""
        return self.quorum or self.tier.quorum or len(self.rated) // 2 + 1

    def _until_quorum_s(self, told: Callable[[Seat], float | None]) -> float | None:
        known = sorted(s for s in map(told, self.rated) if s is not None)
        if len(known) < len(self.rated):
            return None
        return min(known[-1], known[self._wanted - 1] + self.tier.grace_s)


def seated(
    tier: TierProfile, demand: Demand, limits: Limits, forecast: Forecast = NOTHING
) -> Seating:
    """Seat the jurors of a tier that can take a prompt, the cheapest first while the lease lasts."""
    everyone = tuple(seat_of(juror, demand, limits, forecast) for juror in tier.jurors)
    unable = [o for o in (objection(seat, demand, limits) for seat in everyone) if o]
    able = _without(everyone, unable)
    dear = unaffordable(able, limits.lease)
    return Seating(tier, everyone, _without(able, dear), (*unable, *dear))


def spent(tiers: Sequence[TierProfile], lease: Lease) -> str:
    """Name of the first limit that allows no call to any juror, or empty."""
    return lease.exhausted(free=any(juror.free for tier in tiers for juror in tier.jurors))


def _without(seats: Sequence[Seat], objections: Sequence[Objection]) -> tuple[Seat, ...]:
    out = {objection.juror for objection in objections}
    return tuple(seat for seat in seats if seat.juror.name not in out)
