"""Says numbers, times and states as people read them."""

from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from gremium.v1 import manifest_pb2, model_status_pb2, router_pb2

NOTHING: Final = "—"
"""What stands where nothing is known."""
CUT_CHARS: Final = 2_000
"""Characters of a text that a page shows; all of it has an address of its own."""


def seconds(value: float | None) -> str:
    """A span of time.

    Examples
    --------
    >>> seconds(0.0423), seconds(1.234), seconds(60.0), seconds(195.0), seconds(None)
    ('42 ms', '1.23 s', '60.0 s', '3 min 15 s', '—')
    """
    if value is None:
        return NOTHING
    if value < 0.9995:
        return f"{value * 1e3:.0f} ms"
    if value < 99.95:
        return f"{value:.2f} s" if value < 10.0 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return (
        f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
    )


def round_time(value: float) -> str:
    """A time that has few digits.

    Examples
    --------
    >>> round_time(0.0), round_time(0.02), round_time(2.0), round_time(2.5), round_time(120.0)
    ('0', '20 ms', '2 s', '2.5 s', '120 s')
    """
    if value == 0.0:
        return "0"
    return f"{value * 1e3:g} ms" if value < 1.0 else f"{value:g} s"


def usd(value: float | None) -> str:
    """A sum of money, with as many digits as it takes to tell it from nothing.

    Examples
    --------
    >>> usd(0.0), usd(12.5), usd(0.0421), usd(0.0009), usd(0.000031), usd(0.0000002)
    ('$0', '$12.50', '$0.0421', '$0.00090', '$0.000031', '<$0.000001')
    """
    if value is None:
        return NOTHING
    if value == 0.0:
        return "$0"
    if value < 1e-6:
        return "<$0.000001"
    digits = 2 if value >= 1.0 else 4 if value >= 0.01 else 5 if value >= 1e-4 else 6
    return f"${value:,.{digits}f}"


def count(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{value:,.0f}"


def share(value: float | None) -> str:
    """A share as percent.

    Examples
    --------
    >>> share(0.973), share(1.0), share(0.004), share(None)
    ('97 %', '100 %', '0.4 %', '—')
    """
    if value is None:
        return NOTHING
    digits = 0 if value in {0.0, 1.0} or value >= 0.0995 else 1
    return f"{value * 100:.{digits}f} %"


def number(value: float | None) -> str:
    """A figure of two decimals."""
    return NOTHING if value is None else f"{value:.2f}"


def moment(stamp: Timestamp) -> datetime:
    """A time in UTC."""
    return stamp.ToDatetime(UTC)


def clock(when: datetime) -> str:
    """Date and time of day, UTC."""
    return when.strftime("%Y-%m-%d %H:%M:%S")


def clock_beside(when: datetime, now: datetime) -> str:
    """Time of day, with the date unless that is today's."""
    return time_of_day(when) if when.date() == now.date() else clock(when)


def time_of_day(when: datetime) -> str:
    return when.strftime("%H:%M:%S")


def span_s(duration: Duration) -> float:
    """Seconds of a duration."""
    return duration.seconds + duration.nanos / 1e9


def state(value: manifest_pb2.ManifestState.ValueType) -> str:
    return _word(manifest_pb2.ManifestState, value, "MANIFEST_STATE_")


def outcome(value: manifest_pb2.Outcome.ValueType) -> str:
    return _word(manifest_pb2.Outcome, value, "OUTCOME_")


def status(value: manifest_pb2.ParticipationStatus.ValueType) -> str:
    """How a participant ended; while it has not, `at work`."""
    found = _word(manifest_pb2.ParticipationStatus, value, "PARTICIPATION_STATUS_")
    return found or ("unknown" if value else "at work")


def stage(value: manifest_pb2.Stage.ValueType) -> str:
    return _word(manifest_pb2.Stage, value, "STAGE_")


def verdict(value: manifest_pb2.VerdictKind.ValueType) -> str:
    return _word(manifest_pb2.VerdictKind, value, "VERDICT_KIND_")


def check_outcome(value: manifest_pb2.CheckOutcome.ValueType) -> str:
    return _word(manifest_pb2.CheckOutcome, value, "CHECK_OUTCOME_")


def breaker(value: model_status_pb2.BreakerState.ValueType) -> str:
    return _word(model_status_pb2.BreakerState, value, "BREAKER_STATE_")


def filter_reason(value: router_pb2.FilterReason.ValueType) -> str:
    return _word(router_pb2.FilterReason, value, "FILTER_REASON_")


def route_reason(value: router_pb2.RouteReason.ValueType) -> str:
    return _word(router_pb2.RouteReason, value, "ROUTE_REASON_")


def plan_origin(value: router_pb2.PlanOrigin.ValueType) -> str:
    return _word(router_pb2.PlanOrigin, value, "PLAN_ORIGIN_")


def _word(enum: Any, value: int, prefix: str) -> str:
    """`OUTCOME_NO_CONSENSUS` as `no consensus`; nothing for what is unspecified, or not known here."""
    if not value or value not in enum.values():
        return ""
    return str(enum.Name(value)).removeprefix(prefix).replace("_", " ").lower()


def cut(text: str, most: int = CUT_CHARS) -> str:
    """The beginning of a text, whole if it is short."""
    return text if len(text) <= most else text[:most] + "…"
