"""Figures reach a collector as OpenTelemetry has them; an export that does not is counted."""

import time

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.resources import Resource

from services.runtime import exporting, figures, metrics
from services.runtime.exporting import Reports, every_s, told
from services.runtime.instruments import Counter, Histogram
from tests.figures import measuring, points

CALLS = Counter("test.calls", "Calls.", ("test.who",))
TIME = Histogram("test.time", "Time.", ("test.who",), "s", (0.1, 1.0))
LIMIT_S = 10


@pytest.fixture(autouse=True)
def _measuring():
    with measuring():
        yield


class Kept:
    """An exporter that keeps what it is given, and ends as told."""

    def __init__(self, ends):
        self.ends = ends
        self.sent = []
        self.was_shut = False

    def export(self, data, timeout_millis):
        self.sent.append(data)
        if isinstance(self.ends, Exception):
            raise self.ends
        return self.ends

    def shutdown(self):
        self.was_shut = True


def by_name(data):
    return {m.name: m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}


def until(holds):
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_counter_is_a_sum_and_a_histogram_has_its_buckets():
    metrics.add(CALLS, 3, "a")
    for value in (0.05, 7.0):
        metrics.observe(TIME, value, "a")
    found = by_name(told(Resource({})))
    [sum_], [spread] = found["test.calls"].data.data_points, found["test.time"].data.data_points

    assert ({"test.who": "a"}, 3) == (sum_.attributes, sum_.value)
    assert found["test.calls"].data.is_monotonic
    assert ((1, 0, 1), 2, 7.05) == (spread.bucket_counts, spread.count, spread.sum)
    assert ("s", (0.1, 1.0)) == (found["test.time"].unit, spread.explicit_bounds)
    assert 0 < spread.start_time_unix_nano <= spread.time_unix_nano


def test_the_last_figures_are_sent_at_the_end():
    kept = Kept(MetricExportResult.SUCCESS)
    reports = Reports(kept, "test", every_s=60)
    metrics.add(CALLS, 1, "a")
    reports.shutdown(2_000)

    assert ["test.calls"] == [name for name in by_name(kept.sent[-1]) if name == "test.calls"]
    assert (1, True) == (len(kept.sent), kept.was_shut)


@pytest.mark.parametrize("ends", [MetricExportResult.FAILURE, OSError("gone")], ids=str)
def test_an_export_that_is_lost_is_counted_and_the_next_one_is_made(ends, caplog):
    kept = Kept(ends)
    reports = Reports(kept, "test", every_s=0.01)
    until(lambda: len(kept.sent) > 2)
    reports.shutdown(2_000)
    [(of, lost)] = points(figures.EXPORTS_LOST)

    assert ({"error.type": "not_delivered"}, len(kept.sent)) == (of, lost)
    assert "exports of metrics were dropped (not_delivered)" in caplog.text


@pytest.mark.parametrize("given", ["soon", "0", "-1", "1.5"])
def test_an_interval_that_is_none_is_named(given):
    with pytest.raises(ValueError, match="OTEL_METRIC_EXPORT_INTERVAL"):
        every_s({"OTEL_METRIC_EXPORT_INTERVAL": given})


def test_the_interval_is_a_minute_unless_told_otherwise():
    assert (60.0, 0.2) == (every_s({}), every_s({"OTEL_METRIC_EXPORT_INTERVAL": "200"}))


def test_extremes_are_not_sent():
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics  # noqa: PLC0415

    metrics.observe(TIME, 0.5, "a")
    [resource] = encode_metrics(exporting.told(Resource({}))).resource_metrics
    [point] = resource.scope_metrics[0].metrics[0].histogram.data_points

    assert not point.HasField("min")
    assert not point.HasField("max")
