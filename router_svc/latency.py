"""How likely models answer in time, by two quantiles of their latency. Pure."""

import math
from dataclasses import dataclass
from typing import Final

Z_95: Final = 1.6448536269514722
"""Standard normal quantile of .95."""
LEAST_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a model takes."""

    p50_s: float
    """Median, > 0."""
    p95_s: float | None = None
    """95 of 100 answers come within it; None: not known, so that the median says all."""

    def on_time(self, time_s: float) -> float:
        """Probability that an answer comes within `time_s`, in [0, 1].

        By a log-normal law through both quantiles; without the second it is one
        from the median on, and none before.

        Examples
        --------
        >>> Latency(2.0, 8.0).on_time(2.0)
        0.5
        >>> round(Latency(2.0, 8.0).on_time(8.0), 4)
        0.95
        """
        if time_s <= 0.0:
            return 0.0
        if math.isinf(time_s):
            return 1.0
        late = math.log(time_s / max(self.p50_s, LEAST_S))
        spread = math.log(max(1.0, (self.p95_s or self.p50_s) / max(self.p50_s, LEAST_S))) / Z_95
        if spread == 0.0:
            return float(late >= 0.0)
        return 0.5 * math.erfc(-late / spread / math.sqrt(2.0))
