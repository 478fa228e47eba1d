"""Why a juror cannot take a prompt: one hard rule after the other. Pure."""

from collections.abc import Sequence

from router_svc.demand import Demand
from router_svc.profiles import Filter, JurorProfile, Limits, Objection
from router_svc.seats import Seat
from services.core.lease import Lease


def objection(seat: Seat, demand: Demand, limits: Limits) -> Objection | None:
    """The first rule that a juror breaks by itself; None: it breaks none."""
    juror = seat.juror
    return (
        juror.barred
        or _incapable(juror, demand)
        or _failing(juror, limits)
        or _over_cap(seat)
        or _too_slow(seat, limits)
    )


def unaffordable(seats: Sequence[Seat], lease: Lease) -> list[Objection]:
    """Objections to the dearest seats: those for which the lease no longer suffices."""
    objections = []
    for seat in sorted(seats, key=lambda seat: seat.cost_usd):
        if text := _exceeds(seat, lease):
            objections.append(Objection(seat.juror.name, Filter.COST, text))
        else:
            lease = lease.less(cost_usd=seat.cost_usd, model_calls=1, tokens=seat.tokens)
    return objections


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
    if demand.schema and not juror.schemas:
        return Objection(juror.name, Filter.SCHEMA, "it cannot be held to a JSON Schema")
    return None


def _failing(juror: JurorProfile, limits: Limits) -> Objection | None:
    if not limits.now(juror).is_open:
        return None
    text = f"{juror.roster_name} is left alone because it fails"
    return Objection(juror.name, Filter.BREAKER, text)


def _over_cap(seat: Seat) -> Objection | None:
    cap_usd = seat.juror.max_answer_usd
    if cap_usd is None or seat.cost_usd <= cap_usd:
        return None
    text = f"it is expected to cost {seat.cost_usd:.6f} USD; {cap_usd:g} USD is allowed"
    return Objection(seat.juror.name, Filter.PRICE_CAP, text)


def _too_slow(seat: Seat, limits: Limits) -> Objection | None:
    chance = seat.on_time(limits.time_s)
    if seat.latency is None or chance is None or chance >= limits.min_on_time:
        return None
    usual = f"it usually takes {seat.latency.p50_s:.1f} s; {limits.time_s:.1f} s are left"
    if seat.latency.p95_s is not None:
        usual += f", which it keeps with {chance:.0%}"
    return Objection(seat.juror.name, Filter.LATENCY, usual)


def _exceeds(seat: Seat, lease: Lease) -> str:
    """What of the lease a seat needs more of than is left, or empty."""
    most_usd = seat.cost_usd if seat.cost_p90_usd is None else seat.cost_p90_usd
    if lease.cost_usd is not None and most_usd > lease.cost_usd:
        return f"it is expected to cost {most_usd:.6f} USD; {lease.cost_usd:.6f} USD are left"
    if lease.tokens is not None and seat.tokens > lease.tokens:
        return f"it is expected to use {seat.tokens} tokens; {lease.tokens} are left"
    if lease.model_calls is not None and lease.model_calls < 1:
        return "no model calls are left"
    return ""
