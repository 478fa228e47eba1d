"""Names of all metrics, whether they are wanted, and gauges that are read when they are exported."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from opentelemetry.metrics import CallbackOptions, Observation

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider

BREAKER_STATE: Final = "gremium.model.breaker.state"
"""0: closed, 1: being probed, 2: open."""
BREAKER_OPENS: Final = "gremium.model.breaker.opens"
CONCURRENCY_LIMIT: Final = "gremium.model.concurrency.limit"
IN_FLIGHT: Final = "gremium.model.calls.in_flight"
WAITING: Final = "gremium.model.calls.waiting"
THROTTLED: Final = "gremium.model.throttled"
RETRIES: Final = "gremium.model.retries"
HEDGES: Final = "gremium.model.hedges"
SPANS_DROPPED: Final = "gremium.telemetry.spans.dropped"
"""Spans that were not delivered, by `error.type`."""
SPANS_QUEUED: Final = "gremium.telemetry.spans.queued"

EXPORT_LIMIT_MS: Final = 2_000
"""How long one export may take, the last one included."""

Reading = tuple[float, Mapping[str, str]]
"""A value, and what it is of."""


Read = Callable[[], Iterable[Reading]]


@dataclass
class _Metering:
    provider: "MeterProvider | None" = None
    reads: dict[str, list[Read]] = field(default_factory=dict)
    """Where the readings of each gauge come from: the package keeps one callback by name."""


_metering = _Metering()


def wanted(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard `OTEL_` variables have metrics sent.

    `OTEL_METRICS_EXPORTER` is `otlp` or `none`; unset, it is `otlp` when an
    `OTEL_EXPORTER_OTLP_ENDPOINT` is set. One export runs at a time and nothing
    queues up: a collector that is down costs figures, not memory.

    Raises
    ------
    ValueError
        If `OTEL_METRICS_EXPORTER` names another exporter.
    """
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    default = "otlp" if any(env.get(name) for name in endpoints) else "none"
    exporter = env.get("OTEL_METRICS_EXPORTER") or default
    if exporter not in {"otlp", "none"}:
        msg = f"OTEL_METRICS_EXPORTER is {exporter!r}; it may be otlp or none"
        raise ValueError(msg)
    return exporter == "otlp"


def install(provider: "MeterProvider | None") -> None:
    """Measure with this provider from now on; None stops measuring."""
    _metering.provider = provider
    _metering.reads.clear()


def shutdown() -> None:
    """Send the last figures and stop measuring."""
    if _metering.provider is not None:
        _metering.provider.shutdown(timeout_millis=EXPORT_LIMIT_MS)
    install(None)


def watch(name: str, read: Read) -> None:
    """Read a gauge whenever metrics are exported; does nothing when nobody measures."""
    if _metering.provider is None:
        return
    reads = _metering.reads.setdefault(name, [])
    reads.append(read)
    if len(reads) > 1:
        return

    def observe(options: CallbackOptions) -> Iterable[Observation]:
        del options
        readings = [reading for read in tuple(reads) for reading in read()]
        return [Observation(value, dict(attributes)) for value, attributes in readings]

    meter = _metering.provider.get_meter("gremium")
    meter.create_observable_gauge(name, callbacks=[observe])
