"""What was measured, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.runtime import metrics
from services.runtime.metrics import Distribution


@contextmanager
def measuring() -> Iterator[None]:
    """Measure from zero while the block runs."""
    metrics.measure("test")
    try:
        yield
    finally:
        metrics.stop()


def points(instrument):
    """All figures of one metric: what each is of, and its value."""
    found = [family.points for family in metrics.families() if family.instrument is instrument]
    return [point for points in found for point in points]


def figure(instrument, **of):
    """The sum over the figures that have these labels, named without their prefix; of a histogram
    how many were measured."""
    return sum(_number(value) for told, value in points(instrument) if _fits(told, of))


def by(instrument, label):
    """The figures by one label's value."""
    found = {}
    for told, value in points(instrument):
        found[told.get(label, "")] = found.get(told.get(label, ""), 0) + _number(value)
    return found


def _number(value):
    return value.count if isinstance(value, Distribution) else value


def _fits(told, of):
    short = {label.rpartition(".")[2]: value for label, value in told.items()}
    return all(short.get(label, "") == value for label, value in of.items())
