"""Measures what happens, and gives the figures to whoever exports them.

An instrument of OpenTelemetry's SDK takes 10 µs for a measurement, and a
request makes about sixty; an addition in place takes a thirtieth. So figures are
kept here, and both the collector and Prometheus are sent the same.
"""

import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from services.runtime.instruments import Counter, Gauge, Histogram, Instrument

EXPORT_LIMIT_MS: Final = 2_000
"""How long one export may take, the last one included."""
MOST_SERIES: Final = 2_000
"""Most combinations of labels that a metric has; what comes later is counted together."""
OVERFLOW: Final = "_OTHER"
"""Every label of what is counted together."""

Labels = tuple[str, ...]
"""Values of an instrument's labels, in its order."""
Reading = tuple[float, Mapping[str, str]]
"""A value, and what it is of."""
Read = Callable[[], Iterable[Reading]]


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram has seen of one combination of labels."""

    counts: tuple[int, ...]
    """By bucket; one more than there are bounds."""
    total: float

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Family:
    """All figures of one metric."""

    instrument: Instrument
    points: Sequence[tuple[Mapping[str, str], float | Distribution]]
    """What each is of, and what it is; labels without a value are left out."""


class Exporter(Protocol):
    """Whoever sends figures by itself now and then."""

    def shutdown(self, timeout_millis: float) -> None:
        """Send the last ones, if that is possible in time."""
        ...


@dataclass(slots=True)
class _Cell:
    counts: list[int]
    total: float = 0.0


@dataclass
class _Metering:
    on: bool = False
    service: str = ""
    began_ns: int = 0
    exporter: Exporter | None = None
    sums: defaultdict[Counter, dict[Labels, float]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    cells: defaultdict[Histogram, dict[Labels, _Cell]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    reads: defaultdict[Instrument, list[Read]] = field(default_factory=lambda: defaultdict(list))


_metering = _Metering()


def wanted(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard `OTEL_` variables have metrics sent.

    `OTEL_METRICS_EXPORTER` is `otlp` or `none`; unset, it is `otlp` when an
    `OTEL_EXPORTER_OTLP_ENDPOINT` is set. One export runs at a time and nothing
    queues up: a collector that is down costs figures, not memory.

    Raises
    ------
    ValueError
        If `OTEL_METRICS_EXPORTER` names another exporter, or figures are to be sent as the change
        since the last export.
    """
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    default = "otlp" if any(env.get(name) for name in endpoints) else "none"
    exporter = env.get("OTEL_METRICS_EXPORTER") or default
    if exporter not in {"otlp", "none"}:
        msg = f"OTEL_METRICS_EXPORTER is {exporter!r}; it may be otlp or none"
        raise ValueError(msg)
    temporality = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
    if exporter == "otlp" and env.get(temporality, "cumulative").lower() != "cumulative":
        msg = f"{temporality} is {env[temporality]!r}; figures are sent cumulative alone"
        raise ValueError(msg)
    return exporter == "otlp"


def measure(service: str) -> None:
    """Measure from now on, from zero; `service` is what the process calls itself."""
    stop()
    _metering.on, _metering.service, _metering.began_ns = True, service, time.time_ns()


def export_by(exporter: Exporter) -> None:
    """Have figures sent by this one until measuring stops."""
    _metering.exporter = exporter


def stop() -> None:
    """Stop measuring, and forget the figures."""
    _metering.on, _metering.exporter = False, None
    _metering.sums.clear()
    _metering.cells.clear()
    _metering.reads.clear()


def shutdown() -> None:
    """Send the last figures and stop measuring."""
    if _metering.exporter is not None:
        _metering.exporter.shutdown(EXPORT_LIMIT_MS)
    stop()


def is_on() -> bool:
    """Whether anybody measures."""
    return _metering.on


def add(counter: Counter, amount: float, *labels: str) -> None:
    """Count something; does nothing when nobody measures. For the event loop's thread alone."""
    if _metering.on:
        sums = _metering.sums[counter]
        known = _known(labels, sums)
        sums[known] = sums.get(known, 0.0) + amount


def observe(histogram: Histogram, value: float, *labels: str) -> None:
    """Note a measurement; as `add`."""
    if _metering.on:
        cells = _metering.cells[histogram]
        known = _known(labels, cells)
        cell = cells.get(known)
        if cell is None:
            cell = cells[known] = _Cell([0] * (len(histogram.bounds) + 1))
        cell.counts[bisect_left(histogram.bounds, value)] += 1
        cell.total += value


def _known(labels: Labels, series: Mapping[Labels, object]) -> Labels:
    """The labels, unless there are too many others already."""
    if labels in series or len(series) < MOST_SERIES:
        return labels
    return (OVERFLOW,) * len(labels)


def watch(instrument: Counter | Gauge, read: Read) -> None:
    """Read figures whenever they are exported; does nothing when nobody measures.

    `read` may be called by any thread.
    """
    if _metering.on:
        _metering.reads[instrument].append(read)


def measured_by() -> str:
    """What the process calls itself."""
    return _metering.service


def since_ns() -> int:
    """When measuring began, nanoseconds since 1970."""
    return _metering.began_ns


def families() -> list[Family]:
    """All figures as they are now, by name; any thread may ask."""
    found = [*_counted(), *_distributed(), *_read()]
    return sorted(found, key=lambda family: family.instrument.name)


def _counted() -> Iterator[Family]:
    for counter, sums in _metering.sums.copy().items():
        yield Family(counter, [(_of(counter, at), value) for at, value in sums.copy().items()])


def _distributed() -> Iterator[Family]:
    for histogram, cells in _metering.cells.copy().items():
        yield Family(
            histogram,
            [
                (_of(histogram, at), Distribution(tuple(cell.counts), cell.total))
                for at, cell in cells.copy().items()
            ],
        )


def _read() -> Iterator[Family]:
    for instrument, reads in _metering.reads.copy().items():
        readings = [reading for read in tuple(reads) for reading in read()]
        yield Family(instrument, [(dict(told), value) for value, told in readings])


def _of(instrument: Instrument, values: Labels) -> dict[str, str]:
    pairs = zip(instrument.labels, values, strict=True)
    return {label: value for label, value in pairs if value}
