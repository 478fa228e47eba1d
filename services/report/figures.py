"""Measured numbers: each with its interval, and whether enough stands behind it. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

FEWEST: Final = 30
"""Requests below which a share is not told."""
Z: Final = 1.959963984540054
"""Standard errors of a 95 % interval."""
DRAWS: Final = 1_000
SEED: Final = 0
MANY: Final = 2_000
"""Distinct rows from which on their means are drawn from the normal distribution they have."""
_CHUNK: Final = 2_000_000
"""Numbers drawn at once: what bounds the memory."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number with its 95 % interval; `value` is None where too little stands behind it."""

    n: int
    """Observations behind it."""
    needed: int
    """Observations below which it is not told."""
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def insufficient(self) -> bool:
        return self.value is None


def wilson(hits: float, n: float, *, z: float = Z) -> tuple[float, float]:
    """Wilson's score interval of a share.

    Parameters
    ----------
    hits, n : float
        0 <= hits <= n, n > 0; effective counts need not be whole.

    References
    ----------
    .. [1] E. Wilson. Probable inference, the law of succession, and statistical
       inference. Journal of the American Statistical Association, 1927.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(15, 148)]
    [0.0624, 0.1605]
    """
    share, spread = hits / n, z * z / n
    middle = (share + spread / 2.0) / (1.0 + spread)
    half = z * math.sqrt(share * (1.0 - share) / n + spread / (4.0 * n)) / (1.0 + spread)
    low = max(0.0, middle - half) if hits > 0.0 else 0.0
    return low, min(1.0, middle + half) if hits < n else 1.0


def share(hits: int, n: int, *, needed: int = FEWEST) -> Figure:
    """A share of n observations with Wilson's interval."""
    if n < max(needed, 1):
        return Figure(n, needed)
    return Figure(n, needed, hits / n, *wilson(hits, n))


def weighted_share(hits: Bools, weights: Floats, *, needed: int = FEWEST) -> Figure:
    """A share of observations that stand for several each, by Kish's effective number of them.

    Parameters
    ----------
    hits : ndarray of bool, shape (n,)
    weights : ndarray of float64, shape (n,)
        One over the probability that each was drawn, >= 1.
    """
    n = int(hits.size)
    if n < max(needed, 1):
        return Figure(n, needed)
    value = float(weights[hits].sum() / weights.sum())
    effective = float(weights.sum()) ** 2 / float((weights**2).sum())
    return Figure(n, needed, value, *wilson(value * effective, effective))


class Sample:
    """Rows whose means are drawn anew once, for every figure that is made of them.

    Notes
    -----
    What is paired stands in one row, and is drawn together. Equal rows are drawn
    by their count: O(draws x distinct rows). Of more than 2,000 distinct ones the
    means are as good as normal, and are drawn so: O(n d^2). An interval always
    holds its value, which of a largest mean, drawn anew, it might not.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani. An Introduction to the Bootstrap. 1993.
    """

    def __init__(self, rows: Floats, *, needed: int = FEWEST, seed: int = SEED) -> None:
        """Draw.

        Parameters
        ----------
        rows : ndarray of float64, shape (n, d)
            One observation a row; no NaN.
        needed : int
            Observations below which nothing is told.
        seed : int
            Of the draws: the same rows give the same interval.
        """
        self._n, self._needed = len(rows), needed
        self._drawn: Floats | None = None
        if self._n >= max(needed, 1):
            self._means = rows.mean(axis=0, keepdims=True)
            self._drawn = _drawn_means(rows, seed=seed)

    def figure(self, statistic: Callable[[Floats], Floats]) -> Figure:
        """A function of column means, with the percentile interval of the bootstrap.

        Parameters
        ----------
        statistic : callable
            Maps means, shape (m, d), to numbers, shape (m,); NaN where undefined.
            Where it is on the rows themselves, nothing is told.
        """
        if self._drawn is None:
            return Figure(self._n, self._needed)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(statistic(self._means)[0])
            drawn = statistic(self._drawn)
        if not math.isfinite(value):
            return Figure(self._n, self._needed)
        told = drawn[np.isfinite(drawn)]
        low, high = np.quantile(told, [0.025, 0.975]) if told.size else (value, value)
        return Figure(self._n, self._needed, value, min(float(low), value), max(float(high), value))


def estimate(
    rows: Floats,
    statistic: Callable[[Floats], Floats],
    *,
    needed: int = FEWEST,
    seed: int = SEED,
) -> Figure:
    """A figure of a sample that no other is made of."""
    return Sample(rows, needed=needed, seed=seed).figure(statistic)


def mean(values: Floats, *, needed: int = FEWEST, times: float = 1.0) -> Figure:
    """A mean of n values, or `times` of it, with the interval of the bootstrap."""
    return estimate(values[:, np.newaxis], lambda means: means[:, 0] * times, needed=needed)


def difference(first: Bools, second: Bools, *, needed: int = FEWEST) -> Figure:
    """How much more often the first is true than the second, of the same observations."""
    rows = np.stack([first, second], axis=1).astype(np.float64)
    return estimate(rows, lambda means: means[:, 0] - means[:, 1], needed=needed)


def _drawn_means(rows: Floats, *, seed: int) -> Floats:
    """Column means of each draw, shape (draws, d): by the row, or where many are equal, by count."""
    n, rng = len(rows), np.random.default_rng(seed)
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    if len(distinct) > MANY:
        return _normal_means(rows, rng)
    by_row = 2 * len(distinct) > n
    at_once = max(1, min(DRAWS, _CHUNK // (rows.size if by_row else len(distinct))))
    parts = []
    for start in range(0, DRAWS, at_once):
        size = min(at_once, DRAWS - start)
        if by_row:
            parts.append(rows[rng.integers(n, size=(size, n))].mean(axis=1))
        else:
            parts.append(rng.multinomial(n, counts / n, size=size) @ distinct / n)
    return np.concatenate(parts)


def _normal_means(rows: Floats, rng: np.random.Generator) -> Floats:
    """Means as the central limit theorem has them, never beyond the rows themselves."""
    spread = np.atleast_2d(np.cov(rows, rowvar=False)) / len(rows)
    drawn = rng.multivariate_normal(rows.mean(axis=0), spread, size=DRAWS, method="svd")
    within: Floats = np.clip(drawn, rows.min(axis=0), rows.max(axis=0))
    return within
