"""How well a score tells apart what was right from what was not: the area under the ROC curve. Pure."""

import math
from typing import Final

import numpy as np

from services.report.figures import FEWEST, Bools, Figure, Floats, Z, wilson

EACH: Final = 5
"""Observations of either kind below which nothing is told."""

NOISE: Final = 1e-9
"""Error that is of the arithmetic."""


def areas(
    scores: tuple[Floats, Floats], good: Bools, weights: Floats
) -> tuple[Figure, Figure, Figure]:
    """Areas under the curves of two scores of the same observations, and the first less the second.

    Parameters
    ----------
    scores : two ndarrays of float64, shape (n,)
        Higher: rather good. No NaN.
    good : ndarray of bool, shape (n,)
    weights : ndarray of float64, shape (n,)
        How many observations each stands for, > 0.

    Returns
    -------
    three Figures
        1/2 is chance; undefined where nearly all are good, or nearly none.

    Notes
    -----
    The probability that one that is good has the higher score than one that is
    not, ties counting half. Intervals are DeLong's [1]_, of which paired scores
    share their noise; where nothing varies, Wilson's of the rarer kind. O(n log n).

    References
    ----------
    .. [1] E. DeLong, D. DeLong, D. Clarke-Pearson. Comparing the Areas under Two
       or More Correlated Receiver Operating Characteristic Curves. Biometrics, 1988.

    Examples
    --------
    >>> good = np.repeat([True, False], 20)
    >>> one, other, gain = areas((1.0 * good, 0.0 * good), good, np.ones(40))
    >>> one.value, other.value, gain.value
    (1.0, 0.5, 0.5)
    """
    n, rarer = good.size, int(min(good.sum(), (~good).sum()))
    if n < FEWEST or rarer < EACH:
        nothing = Figure(n, FEWEST)
        return nothing, nothing, nothing
    first, second = (_placements(score, good, weights) for score in scores)
    return (
        _area(first, good, weights, rarer),
        _area(second, good, weights, rarer),
        _difference(first - second, good, weights),
    )


def _placements(score: Floats, good: Bools, weights: Floats) -> Floats:
    """Share of the other kind that each observation is on the right side of, shape (n,)."""
    found = np.zeros(score.size)
    found[good] = _below(score[good], score[~good], weights[~good])
    found[~good] = 1.0 - _below(score[~good], score[good], weights[good])
    return found


def _below(score: Floats, others: Floats, weights: Floats) -> Floats:
    """Share of the others' weight with a lower score, of equal ones half."""
    order = np.argsort(others, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    lower = total[np.searchsorted(others[order], score, side="left")]
    upto = total[np.searchsorted(others[order], score, side="right")]
    share: Floats = (lower + upto) / (2.0 * total[-1])
    return share


def _area(placed: Floats, good: Bools, weights: Floats, rarer: int) -> Figure:
    area, error = _mean(placed, good, weights)
    low, high = (
        (area - Z * error, area + Z * error) if error > NOISE else wilson(area * rarer, rarer)
    )
    return Figure(good.size, FEWEST, area, max(0.0, low), min(1.0, high))


def _difference(placed: Floats, good: Bools, weights: Floats) -> Figure:
    gain, error = _mean(placed, good, weights)
    return Figure(good.size, FEWEST, gain, gain - Z * error, gain + Z * error)


def _mean(placed: Floats, good: Bools, weights: Floats) -> tuple[float, float]:
    """Mean placement of what is good, and its error, to which both kinds add."""
    value, variance = 0.0, 0.0
    for kind in (~good, good):
        shares = weights[kind] / weights[kind].sum()
        value = float(shares @ placed[kind])
        variance += float(shares**2 @ (placed[kind] - value) ** 2) * _unbiased(int(kind.sum()))
    return round(value, 12), math.sqrt(variance)


def _unbiased(n: int) -> float:
    return n / (n - 1.0)
