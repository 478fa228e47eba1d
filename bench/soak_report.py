"""Whether what was held grew: slopes over the last two thirds, and the table of them. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.slopes import Slope, slope
from bench.soak_load import Got
from bench.soak_watch import Sample, by_service

MEASURES = ("rss", "descriptors", "tasks", "threads")
SETTLED = 1 / 3
"""Share of the run that is left out: pools and caches fill."""
PER_CANCELLED = 10_000
MOST_SHARE = 0.01
"""Growth of memory allowed for so many cancelled calls, as a share of it."""
LEAST_SAMPLES = 8
MIB = 2**20


@dataclass(frozen=True)
class Line:
    """One measure of one service."""

    service: str
    measure: str
    first: float
    last: float
    slope: Slope
    """Per second."""
    span_s: float
    share: float | None
    """Of memory: growth per 10,000 cancelled calls as a share of it; None if none was cancelled."""

    def holds(self, *, most_share: float = MOST_SHARE) -> bool:
        """Whether it did not grow.

        It did not if the interval of its slope reaches down to zero, or to less
        than one, of memory a mebibyte, in all the time that was looked at;
        memory may also grow by a small share with the calls that were cancelled.
        """
        least = MIB if self.measure == "rss" else 1.0
        if not self.slope.rises or self.slope.low * self.span_s < least:
            return True
        return self.share is not None and self.share < most_share


def judged(samples: Sequence[Sample]) -> list[Line]:
    """A line for each measure of each service that was sampled often enough."""
    end_s = max((sample.at_s for sample in samples), default=0.0)
    settled = [sample for sample in samples if sample.at_s >= SETTLED * end_s]
    return [
        _line(service, measure, series)
        for service, series in by_service(settled).items()
        if len(series) >= LEAST_SAMPLES
        for measure in MEASURES
    ]


def _line(service: str, measure: str, series: Sequence[Sample]) -> Line:
    values = [float(getattr(sample, measure)) for sample in series]
    fitted = slope([sample.at_s for sample in series], values)
    span_s = series[-1].at_s - series[0].at_s
    cancelled = series[-1].cancelled - series[0].cancelled
    share = None
    if measure == "rss" and cancelled:
        grown = fitted.value * span_s / cancelled * PER_CANCELLED
        share = grown / (sum(values) / len(values))
    return Line(service, measure, values[0], values[-1], fitted, span_s, share)


def table(lines: Sequence[Line], *, most_share: float = MOST_SHARE) -> str:
    """One row a line, units in its head."""
    heads = [
        "service",
        "measure",
        "first",
        "last",
        "slope/h",
        "95 % interval",
        "per 10,000",
        "holds",
    ]
    rows = [heads, *(_cells(line, most_share) for line in lines)]
    widths = [max(len(row[nth]) for row in rows) for nth in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(w) if nth < 2 else cell.rjust(w) for nth, (cell, w) in pairs).rstrip()
        for pairs in (list(enumerate(zip(row, widths, strict=True))) for row in rows)
    )


def _cells(line: Line, most_share: float) -> list[str]:
    unit = MIB if line.measure == "rss" else 1.0
    hourly = [3600 * each / unit for each in (line.slope.value, line.slope.low, line.slope.high)]
    return [
        line.service,
        "RSS, MiB" if line.measure == "rss" else line.measure,
        f"{line.first / unit:.1f}",
        f"{line.last / unit:.1f}",
        f"{hourly[0]:+.2f}",
        f"[{hourly[1]:+.2f}, {hourly[2]:+.2f}]",
        "" if line.share is None else f"{100 * line.share:+.2f} %",
        "yes" if line.holds(most_share=most_share) else "NO",
    ]


def summary(got: Sequence[Got], *, cancelled: int) -> str:
    """What the callers got, in a few words."""
    ends = Counter(each.what for each in got)
    told = ", ".join(f"{count} {what}" for what, count in ends.most_common())
    span_s = max((each.at_s for each in got), default=0.0)
    return (
        f"{len(got)} requests in {span_s / 60:.1f} minutes: {told or 'none'};"
        f" {cancelled} cancelled calls of jurors"
    )
