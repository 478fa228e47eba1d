"""What one juror's answer is expected to take: tokens, money, time. Pure."""

from dataclasses import dataclass

from router_svc.demand import Demand
from router_svc.forecast import Forecast, Outlook, Tokens
from router_svc.latency import Latency
from router_svc.profiles import JurorProfile, Limits


@dataclass(frozen=True, slots=True)
class Seat:
    """A juror that may be asked, and what its answer is expected to take."""

    juror: JurorProfile
    cost_usd: float
    tokens: int
    """Input and output together."""
    cost_p90_usd: float | None = None
    """What nine of ten answers cost less than; None: not learned."""
    latency: Latency | None = None
    """None: not known."""
    outlook: Outlook | None = None
    """None: nothing was learned of its model."""

    def on_time(self, time_s: float) -> float | None:
        """Probability that it answers in time; None: its latency is not known."""
        return None if self.latency is None else self.latency.on_time(time_s)


def seat_of(juror: JurorProfile, demand: Demand, limits: Limits, forecast: Forecast) -> Seat:
    """A juror's seat; by its model's own lengths of answers where they were learned."""
    outlook = forecast.models.get(juror.roster_name)
    length = outlook.tokens if outlook else None
    most = _most_output(juror, demand)
    written = min(round(length.mean) if length else demand.output_tokens, most)
    return Seat(
        juror,
        _usd(juror, demand, written),
        juror.instruction_tokens + demand.input_tokens + written,
        _p90_usd(juror, demand, length, most),
        limits.now(juror).latency or _configured(juror),
        outlook,
    )


def _most_output(juror: JurorProfile, demand: Demand) -> int:
    asked = demand.output_limit_tokens
    return juror.max_output_tokens if asked is None else asked


def _usd(juror: JurorProfile, demand: Demand, written: float) -> float:
    read = juror.instruction_tokens + demand.input_tokens
    return (read * juror.input_usd_per_mtok + written * juror.output_usd_per_mtok) / 1e6


def _p90_usd(juror: JurorProfile, demand: Demand, length: Tokens | None, most: int) -> float | None:
    return None if length is None else _usd(juror, demand, min(max(length.p90, length.mean), most))


def _configured(juror: JurorProfile) -> Latency | None:
    usual_s = juror.expected_latency_s
    return None if usual_s is None else Latency(usual_s)
