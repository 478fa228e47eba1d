"""What a metric is: its name, its kind, and what its figures are of."""

from dataclasses import dataclass
from typing import Final

MANY_S: Final = (
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
)
"""Bounds of seconds that the GenAI conventions ask for."""
CALL_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bounds of seconds that the RPC conventions ask for."""
TOKENS: Final = tuple(float(4**nth) for nth in range(14))
"""Bounds of token counts that the GenAI conventions ask for."""
SHARES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Bounds of shares; nothing at all has a bucket of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """One metric; its figures differ by their labels."""

    name: str
    """As OpenTelemetry has it, with dots."""
    about: str
    labels: tuple[str, ...] = ()
    """Names of what a measurement is told of, in this order; an empty value is none."""
    unit: str = ""
    """In UCUM: `s`, or words in braces."""


class Counter(Instrument):
    """Only ever grows, until its process ends."""

    __slots__ = ()


class Gauge(Instrument):
    """Is what it is when it is read."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Histogram(Instrument):
    """How measurements are distributed."""

    bounds: tuple[float, ...] = CALL_S
    """Upper bounds of the buckets, inclusive; what is above them has one of its own."""
