"""Sends spans in batches from a bounded queue, and counts those that a collector costs.

A collector that is slow, silent or gone never holds up a request: when the
queue is full its oldest span goes.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from services.runtime import figures, metrics
from services.runtime.names import ERROR_TYPE

logger = logging.getLogger(__name__)

FLUSH_LIMIT_MS: Final = 2_000
"""How long the last spans may take to leave when a process ends."""
TELL_EVERY_S: Final = 10.0
"""Shortest time between two log lines about what was lost."""


class Drops:
    """Counts what a collector did not get, and says so in the log every now and then."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._untold = 0
        self._tell_at = 0.0

    def counted(self) -> Sequence[metrics.Reading]:
        """How much was lost so far, by cause."""
        with self._lock:
            return [(count, {ERROR_TYPE: cause}) for cause, count in self._counts.items()]

    def add(self, count: int, cause: str) -> None:
        """Count what is lost; any thread may."""
        with self._lock:
            self._counts[cause] += count
            self._untold += count
            untold, total, now = self._untold, self._counts.total(), self._clock()
            if now < self._tell_at:
                return
            self._untold, self._tell_at = 0, now + TELL_EVERY_S
        logger.warning(
            "%d %s were dropped (%s), %d so far: the collector does not keep up",
            untold,
            self._what,
            cause,
            total,
        )


class CountedExporter(SpanExporter):
    """Counts what the exporter gives up on."""

    def __init__(self, exporter: SpanExporter, drops: Drops) -> None:
        self._exporter = exporter
        self._drops = drops

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                self._drops.add(len(spans), "not_delivered")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Overflow:
    """What the queue tells of itself: the package's own metrics need its global provider."""

    def __init__(self, drops: Drops) -> None:
        self._drops = drops

    def register_queue_size(self, get_queue_size: Callable[[], int]) -> None:
        metrics.watch(figures.SPANS_QUEUED, lambda: [(get_queue_size(), {})])

    def drop_items(self, count: int, error_type: str = "queue_full") -> None:
        self._drops.add(count, error_type)

    def finish_items(self, count: int) -> None:
        """Delivered or not, the exporter knows."""


class Batches(BatchSpanProcessor):
    """Gives up soon at the end: the package waits 10 s and more for a collector that is down."""

    def __init__(self, exporter: SpanExporter) -> None:
        drops = Drops("spans")
        super().__init__(CountedExporter(exporter, drops))
        overflow, batches = _Overflow(drops), self._batch_processor
        overflow.register_queue_size(lambda: len(batches._queue))  # noqa: SLF001
        batches._metrics = overflow  # noqa: SLF001 - there is no other way to learn of a drop
        self._drops = drops
        metrics.watch(figures.SPANS_DROPPED, drops.counted)

    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=FLUSH_LIMIT_MS)
        if left := len(self._batch_processor._queue):  # noqa: SLF001
            self._drops.add(left, "process_ended")
