"""Which jurors can take a prompt within its limits, and what they would cost. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from router_svc.demand import Demand
from services.core.lease import Lease


class Filter(StrEnum):
    """Why a juror cannot take a prompt."""

    CONTEXT = "context"
    IMAGES = "images"
    TOOLS = "tools"
    COST = "cost"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class JurorProfile:
    """What is known of a juror before it is asked."""

    name: str
    adequacy: float
    """Prior probability of an adequate answer to an average prompt, in [0, 1]."""
    expected_latency_s: float | None
    """None: not known."""
    context_tokens: int
    max_output_tokens: int
    """Of one answer, unless the request says otherwise."""
    input_usd_per_mtok: float = 0.0
    output_usd_per_mtok: float = 0.0
    instruction_tokens: int = 0
    tools: bool = True
    images: bool = False

    @property
    def free(self) -> bool:
        """Whether its answers cost nothing."""
        return not (self.input_usd_per_mtok or self.output_usd_per_mtok)


@dataclass(frozen=True, slots=True)
class TierProfile:
    """Jurors that answer together."""

    name: str
    jurors: tuple[JurorProfile, ...]
    quorum: int | None = None
    """Usable answers needed; None: more than half of those who are asked."""
    grace_s: float = 0.0
    domains: tuple[str, ...] = ()
    """Domains it is the specialist for; empty: it takes any prompt."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request allows."""

    time_s: float
    """Time until nobody waits for the answer."""
    lease: Lease = field(default_factory=Lease)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why one juror is left out."""

    juror: str
    filter: Filter
    text: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A juror that may be asked, and what its answer is expected to take."""

    juror: JurorProfile
    cost_usd: float
    tokens: int
    """Input and output together."""


@dataclass(frozen=True, slots=True)
class Seating:
    """Who of a tier may be asked."""

    tier: TierProfile
    everyone: tuple[Seat, ...]
    """All jurors of the tier, in configured order."""
    seats: tuple[Seat, ...]
    """Those who may be asked, in the same order."""
    objections: tuple[Objection, ...]

    @property
    def quorum(self) -> int:
        """Usable answers needed; 0 when those who are left cannot give them."""
        left = len(self.seats)
        needed = left // 2 + 1 if self.tier.quorum is None else self.tier.quorum
        return needed if needed <= left else 0

    @property
    def eligible(self) -> bool:
        return self.quorum > 0

    @property
    def filtered(self) -> tuple[Filter, ...]:
        """Why the tier cannot be asked, when it cannot."""
        kinds = {objection.filter for objection in self.objections}
        return () if self.eligible else tuple(kind for kind in Filter if kind in kinds)

    @property
    def rated(self) -> tuple[Seat, ...]:
        """Those whose answers are predicted: who may be asked, or everyone if too few may."""
        return self.seats if self.eligible else self.everyone

    @property
    def cost_usd(self) -> float:
        """Expected cost of one pass."""
        return sum(seat.cost_usd for seat in self.rated)

    @property
    def latency_s(self) -> float | None:
        """Expected time to the quorum and, for stragglers, the grace; None: not known."""
        told = [seat.juror.expected_latency_s for seat in self.rated]
        latencies = sorted(latency_s for latency_s in told if latency_s is not None)
        if len(latencies) < len(told):
            return None
        nth = self.quorum or self.tier.quorum or len(latencies) // 2 + 1
        return min(latencies[-1], latencies[nth - 1] + self.tier.grace_s)


def seated(tier: TierProfile, demand: Demand, limits: Limits) -> Seating:
    """Seat the jurors of a tier that can take a prompt, the cheapest first while the lease lasts."""
    everyone = tuple(_seat(juror, demand) for juror in tier.jurors)
    unable = [o for o in (_objection(juror, demand, limits) for juror in tier.jurors) if o]
    able = _without(everyone, unable)
    unaffordable = _unaffordable(able, limits.lease)
    return Seating(tier, everyone, _without(able, unaffordable), (*unable, *unaffordable))


def spent(tiers: Sequence[TierProfile], lease: Lease) -> str:
    """Name of the first limit that allows no call to any juror, or empty."""
    return lease.exhausted(free=any(juror.free for tier in tiers for juror in tier.jurors))


def _without(seats: Sequence[Seat], objections: Sequence[Objection]) -> tuple[Seat, ...]:
    out = {objection.juror for objection in objections}
    return tuple(seat for seat in seats if seat.juror.name not in out)


def _objection(juror: JurorProfile, demand: Demand, limits: Limits) -> Objection | None:
    return _incapable(juror, demand) or _too_slow(juror, limits)


def _incapable(juror: JurorProfile, demand: Demand) -> Objection | None:
    output = (
        demand.output_tokens if demand.output_limit_tokens is None else demand.output_limit_tokens
    )
    needed = juror.instruction_tokens + demand.input_tokens + output
    if needed > juror.context_tokens:
        text = f"prompt and answer need about {needed} tokens; it takes {juror.context_tokens}"
        return Objection(juror.name, Filter.CONTEXT, text)
    if demand.images and not juror.images:
        return Objection(juror.name, Filter.IMAGES, "it takes no images")
    if demand.tools and not juror.tools:
        return Objection(juror.name, Filter.TOOLS, "it calls no tools")
    return None


def _too_slow(juror: JurorProfile, limits: Limits) -> Objection | None:
    if juror.expected_latency_s is None or juror.expected_latency_s <= limits.time_s:
        return None
    text = f"it usually takes {juror.expected_latency_s:.1f} s; {limits.time_s:.1f} s are left"
    return Objection(juror.name, Filter.LATENCY, text)


def _seat(juror: JurorProfile, demand: Demand) -> Seat:
    read = juror.instruction_tokens + demand.input_tokens
    written = demand.output_tokens
    if demand.output_limit_tokens is None:
        written = min(written, juror.max_output_tokens)
    usd = (read * juror.input_usd_per_mtok + written * juror.output_usd_per_mtok) / 1e6
    return Seat(juror, usd, read + written)


def _unaffordable(seats: Sequence[Seat], lease: Lease) -> list[Objection]:
    """Objections to the dearest seats: those for which the lease no longer suffices."""
    objections = []
    for seat in sorted(seats, key=lambda seat: seat.cost_usd):
        if text := _exceeds(seat, lease):
            objections.append(Objection(seat.juror.name, Filter.COST, text))
        else:
            lease = lease.less(cost_usd=seat.cost_usd, model_calls=1, tokens=seat.tokens)
    return objections


def _exceeds(seat: Seat, lease: Lease) -> str:
    """What of the lease a seat needs more of than is left, or empty."""
    if lease.cost_usd is not None and seat.cost_usd > lease.cost_usd:
        return f"it is expected to cost {seat.cost_usd:.6f} USD; {lease.cost_usd:.6f} USD are left"
    if lease.tokens is not None and seat.tokens > lease.tokens:
        return f"it is expected to use {seat.tokens} tokens; {lease.tokens} are left"
    if lease.model_calls is not None and lease.model_calls < 1:
        return "no model calls are left"
    return ""
