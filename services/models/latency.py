"""Quantiles of a model's latency, of late. No I/O."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

GROWTH: Final = 1.1
"""Ratio of a bucket's bounds; a quantile is off by at most 5 %."""
ABOVE: Final = (1.0 + GROWTH) / 2.0
"""Upper bound of a bucket, as a multiple of the quantile that is told of it."""
LEAST_S: Final = 1e-3
BUCKETS: Final = 1 + math.ceil(math.log(3600.0 / LEAST_S) / math.log(GROWTH))
HALF_LIFE_S: Final = 300.0
"""Time after which a call counts half."""
MIN_CALLS: Final = 10.0
"""Weight of calls without which no quantile is told."""
MAX_WEIGHT: Final = 1e100


@dataclass(slots=True)
class LatencySketch:
    """Counts in buckets that grow exponentially, fading with age.

    Buckets as in DDSketch (Masson, Rim, Lee: VLDB 2019), whose relative error
    is bounded; weights by forward decay (Cormode et al.: ICDE 2009), so that
    nothing has to be touched as time goes by.
    """

    clock: Callable[[], float]
    _counts: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)
    _origin: float = field(init=False)

    def __post_init__(self) -> None:
        self._origin = self.clock()

    def add(self, latency_s: float) -> None:
        """Note a call that took `latency_s`, >= 0."""
        self._counts[_bucket(latency_s)] += self._weight()

    def quantile_s(self, quantile: float) -> float | None:
        """The latency that this share of the calls kept below; None while there are too few.

        Parameters
        ----------
        quantile : float
            In [0, 1].
        """
        total = sum(self._counts)
        if total < MIN_CALLS * self._weight():
            return None
        below, wanted = 0.0, quantile * total
        for bucket, count in enumerate(self._counts):
            below += count
            if count and below >= wanted:
                return _middle_s(bucket)
        return _middle_s(BUCKETS - 1)

    def _weight(self) -> float:
        """Weight of a call now; it grows, so that earlier ones count less and less."""
        weight: float = 2.0 ** min(1000.0, (self.clock() - self._origin) / HALF_LIFE_S)
        if weight > MAX_WEIGHT:
            self._counts = [count / weight for count in self._counts]
            self._origin, weight = self.clock(), 1.0
        return weight


def _bucket(latency_s: float) -> int:
    steps = math.ceil(math.log(max(latency_s, LEAST_S) / LEAST_S) / math.log(GROWTH))
    return min(steps, BUCKETS - 1)


def _middle_s(bucket: int) -> float:
    return LEAST_S * GROWTH**bucket * 2.0 / (1.0 + GROWTH)
