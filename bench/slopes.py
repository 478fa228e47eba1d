"""Slopes of series whose samples depend on each other. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Slope:
    """A straight line's slope, with its 95 % interval."""

    value: float
    half_width: float

    @property
    def low(self) -> float:
        return self.value - self.half_width

    @property
    def high(self) -> float:
        return self.value + self.half_width

    @property
    def rises(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0.0


def slope(times: Sequence[float], values: Sequence[float]) -> Slope:
    """Least-squares slope with a Newey-West interval.

    Parameters
    ----------
    times : sequence of float, length n
        Not all equal; n >= 3.
    values : sequence of float, length n

    Notes
    -----
    Samples of a process follow each other: ordinary intervals are too narrow.
    The variance sums the autocovariances of the scores with Bartlett weights
    [1]_ up to the lag 1.3 sqrt(n), and the width goes by critical values for
    that share b of the series [2]_, as [3]_ advises: 1.96 + 2.9694 b + 0.416 b^2
    - 0.5324 b^3.

    References
    ----------
    .. [1] W. K. Newey, K. D. West. A Simple, Positive Semi-definite,
       Heteroskedasticity and Autocorrelation Consistent Covariance Matrix.
       Econometrica 55(3), 1987.
    .. [2] N. M. Kiefer, T. J. Vogelsang. A New Asymptotic Theory for
       Heteroskedasticity-Autocorrelation Robust Tests. Econometric Theory
       21(6), 2005.
    .. [3] E. Lazarus, D. J. Lewis, J. H. Stock, M. W. Watson. HAR Inference:
       Recommendations for Practice. Journal of Business & Economic Statistics
       36(4), 2018.

    Examples
    --------
    >>> line = slope([0, 1, 2, 3], [1.0, 3.0, 5.0, 7.0])
    >>> round(line.value, 6), round(line.half_width, 6)
    (2.0, 0.0)
    """
    x, y = np.asarray(times, float), np.asarray(values, float)
    centred, n = x - x.mean(), len(x)
    spread = float(centred @ centred)
    value = float(centred @ (y - y.mean())) / spread
    scores = centred * (y - y.mean() - value * centred)
    lags = min(n - 2, round(1.3 * n**0.5))
    total = float(scores @ scores)
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(scores[lag:] @ scores[:-lag])
    error = (max(0.0, total) * n / (n - 2)) ** 0.5 / spread
    return Slope(value, critical(lags / n) * error)


def critical(share: float) -> float:
    """Half width of a 95 % interval in standard errors, by the share of the series in its lags."""
    return 1.96 + 2.9694 * share + 0.416 * share**2 - 0.5324 * share**3
