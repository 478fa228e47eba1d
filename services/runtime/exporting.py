"""Sends figures to a collector, and counts the exports that it costs.

A tenth of a second to import: only what sends metrics loads it.
"""

import logging
import time
from collections.abc import Mapping
from threading import Event, Thread
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from services.runtime import figures, instruments, metrics
from services.runtime.batches import Drops
from services.runtime.metrics import EXPORT_LIMIT_MS, Distribution, Family

logger = logging.getLogger(__name__)

SCOPE: Final = InstrumentationScope("gremium")
NO_EXTREMES: Final[dict[str, Any]] = {"min": None, "max": None}
"""Those since the beginning say nothing, and are not sent."""
CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


class Reports:
    """Sends all figures again and again, in a thread of its own, and once more at the end."""

    def __init__(self, exporter: MetricExporter, service: str, *, every_s: float) -> None:
        self._exporter = exporter
        self._resource = Resource.create({"service.name": service})
        self._every_s = every_s
        self._lost = Drops("exports of metrics")
        metrics.watch(figures.EXPORTS_LOST, self._lost.counted)
        self._ended = Event()
        self._sending = Thread(target=self._send_on, name="metrics", daemon=True)
        self._sending.start()

    def shutdown(self, timeout_millis: float) -> None:
        """Send the last figures, if that is possible in time."""
        self._ended.set()
        self._sending.join(timeout_millis / 1e3)
        self._exporter.shutdown()

    def _send_on(self) -> None:
        while not self._ended.wait(self._every_s):
            self._send()
        self._send()

    def _send(self) -> None:
        result = MetricExportResult.FAILURE
        try:
            result = self._exporter.export(told(self._resource), timeout_millis=EXPORT_LIMIT_MS)
        except Exception:
            logger.exception("figures could not be sent")  # the next ones perhaps can
        if result is not MetricExportResult.SUCCESS:
            self._lost.add(1, "not_delivered")


def every_s(env: Mapping[str, str]) -> float:
    """Seconds between two exports, by the standard `OTEL_METRIC_EXPORT_INTERVAL`.

    Raises
    ------
    ValueError
        If that is no number of milliseconds above zero.
    """
    given = env.get("OTEL_METRIC_EXPORT_INTERVAL") or "60000"
    if not given.isdecimal() or int(given) == 0:
        msg = f"OTEL_METRIC_EXPORT_INTERVAL is {given!r}; it must be milliseconds, above 0"
        raise ValueError(msg)
    return int(given) / 1e3


def told(resource: Resource) -> MetricsData:
    """All figures, as the SDK's exporters take them."""
    since, now = metrics.since_ns(), time.time_ns()
    found = [_metric(family, since, now) for family in metrics.families()]
    scoped = ScopeMetrics(scope=SCOPE, metrics=found, schema_url="")
    return MetricsData([ResourceMetrics(resource=resource, scope_metrics=[scoped], schema_url="")])


def _metric(family: Family, since: int, now: int) -> Metric:
    what = family.instrument
    return Metric(what.name, what.about, what.unit, _data(family, since, now))


def _data(family: Family, since: int, now: int) -> Sum | Gauge | Histogram:
    what = family.instrument
    if isinstance(what, instruments.Histogram):
        spread = [
            _spread(of, value, what.bounds, since, now)
            for of, value in family.points
            if isinstance(value, Distribution)
        ]
        return Histogram(spread, CUMULATIVE)
    points = [
        NumberDataPoint(of, since, now, value)
        for of, value in family.points
        if not isinstance(value, Distribution)
    ]
    if isinstance(what, instruments.Counter):
        return Sum(points, CUMULATIVE, is_monotonic=True)
    return Gauge(points)


def _spread(
    of: Mapping[str, str], value: Distribution, bounds: tuple[float, ...], since: int, now: int
) -> HistogramDataPoint:
    return HistogramDataPoint(
        attributes=of,
        start_time_unix_nano=since,
        time_unix_nano=now,
        count=value.count,
        sum=value.total,
        bucket_counts=value.counts,
        explicit_bounds=bounds,
        **NO_EXTREMES,
    )
