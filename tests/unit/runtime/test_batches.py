"""Spans that a collector costs are counted by cause, and told in the log now and then."""

import logging

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from services.runtime.batches import CountedExporter, Drops


class Failing:
    def __init__(self, ends):
        self.ends = ends

    def export(self, spans):
        if isinstance(self.ends, Exception):
            raise self.ends
        return self.ends


def test_drops_are_counted_by_cause():
    drops = Drops("spans")
    drops.add(2, "queue_full")
    drops.add(3, "not_delivered")
    drops.add(1, "queue_full")

    assert [(3, {"error.type": "queue_full"}), (3, {"error.type": "not_delivered"})] == list(
        drops.counted()
    )


def test_the_log_says_so_at_most_every_ten_seconds(caplog):
    now = [0.0]
    drops = Drops("spans", lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for now[0] in (0.0, 1.0, 9.9, 10.0):
            drops.add(1, "queue_full")

    told = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert [
        "1 spans were dropped (queue_full), 1 so far",
        "3 spans were dropped (queue_full), 4 so far",
    ] == told


@pytest.mark.parametrize(
    ("ends", "count"), [(SpanExportResult.SUCCESS, 0), (SpanExportResult.FAILURE, 2)]
)
def test_what_is_not_delivered_is_lost(ends, count):
    drops = Drops("spans")
    CountedExporter(Failing(ends), drops).export(["a", "b"])

    assert count == sum(lost for lost, _ in drops.counted())


def test_an_exporter_that_raises_has_lost_its_spans():
    drops = Drops("spans")
    with pytest.raises(OSError, match="gone"):
        CountedExporter(Failing(OSError("gone")), drops).export(["a"])

    assert [(1, {"error.type": "not_delivered"})] == list(drops.counted())
