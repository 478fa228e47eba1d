"""How well probabilities fit outcomes, and the map that makes them. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.calibration.artefact import ConfidenceMap
from services.calibration.votes import Bools, Floats
from services.core.probability import LEAST

BINS: Final = 15
NEWTON_STEPS: Final = 30
SLOPE_RIDGE: Final = 30.0
"""Holds the slope of the map to 1, as if by so much evidence: of few wrong answers it is mostly chance.

Measured on 27 recorded pools, against almost none: with 100 labels ECE falls by 0.7 points
(standard error 0.2); with all labels nothing changes.
"""
RIDGE: Final = 1.0
"""The same for the offset, to 0: enough to keep it finite where all are right, or none."""


def ece(sure: Floats, right: Bools | Floats) -> float:
    """Expected calibration error: mean gap of probability and outcome, in equal-mass bins.

    Examples
    --------
    >>> ece(np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, True, False, False]))
    0.0
    """
    gaps = [
        each.size * abs(sure[each].mean() - right[each].mean()) for each in equal_mass_bins(sure)
    ]
    return float(sum(gaps) / len(sure))


def equal_mass_bins(sure: Floats) -> list[NDArray[np.intp]]:
    """Indices from the least to the most probable, in parts of equal size; none is empty."""
    ordered = np.argsort(sure, kind="stable")
    return [each for each in np.array_split(ordered, BINS) if each.size]


def ece_of_the_perfect(sure: Floats, *, seed: int, draws: int = 500) -> float:
    """95 % quantile of the error of a predictor whose probabilities are true."""
    rng = np.random.default_rng(seed)
    return float(np.quantile([ece(sure, rng.random(sure.size) < sure) for _ in range(draws)], 0.95))


def auroc(sure: Floats, right: Bools) -> float | None:
    """Probability that a right one is surer than a wrong one; None when all are alike.

    Examples
    --------
    >>> auroc(np.array([0.9, 0.8, 0.8]), np.array([True, True, False]))
    0.75
    """
    many = int(right.sum())
    if many in {0, right.size}:
        return None
    _, which, counts = np.unique(sure, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
    above = float(ranks[right].sum()) - many * (many + 1) / 2
    return above / (many * (right.size - many))


def cross_mapped(sure: Floats, right: Bools, part: NDArray[np.intp]) -> Floats:
    """Probabilities as the map has them that was made of the other parts.

    Parameters
    ----------
    sure, right : ndarray, shape (n,)
    part : ndarray of intp, shape (n,)
        The part that each belongs to; at least two.
    """
    mapped = np.zeros(sure.size)
    for held in np.unique(part):
        curve = platt(sure[part != held], right[part != held])
        odds = np.clip(sure[part == held], LEAST, 1.0 - LEAST)
        x = curve.slope * np.log(odds / (1.0 - odds)) + curve.offset
        mapped[part == held] = 1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0)))
    return mapped


def platt(sure: Floats, right: Bools) -> ConfidenceMap:
    """The logistic map from log-odds of `sure` to outcomes, with smoothed targets, drawn to none.

    References
    ----------
    .. [1] J. Platt. Probabilistic Outputs for Support Vector Machines. 1999.
    """
    clipped = np.clip(sure, LEAST, 1.0 - LEAST)
    x = np.stack([np.log(clipped / (1.0 - clipped)), np.ones(sure.size)], axis=1)
    many, few = float(right.sum()), float((~right).sum())
    target = np.where(right, (many + 1.0) / (many + 2.0), 1.0 / (few + 2.0))
    at, start, ridge = np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([SLOPE_RIDGE, RIDGE])
    for _ in range(NEWTON_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ at, -30.0, 30.0)))
        bent = x.T @ (x * (p * (1.0 - p))[:, np.newaxis]) + np.diag(ridge)
        step = np.linalg.solve(bent, x.T @ (target - p) - ridge * (at - start))
        at = at + np.clip(step, -1.0, 1.0)
    known = np.linalg.inv(bent)
    return ConfidenceMap(
        slope=round(float(at[0]), 6),
        offset=round(float(at[1]), 6),
        covariance=(float(known[0, 0]), float(known[0, 1]), float(known[1, 1])),
    )
