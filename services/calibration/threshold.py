"""From which confidence on answers may be accepted so that a promised risk is kept. Pure.

Learn-then-Test: confidences are tested from strict to loose, each by an exact upper bound of the
risk, and the first that fails ends the walk. No level is tried after a failure, so that the chance
that any accepted level breaks its promise stays at `delta`, however many are tried.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.calibration.artefact import Threshold
from services.core.probability import DIGITS

LEVELS: Final = 200
"""Confidences that are tried at most."""

Floats = NDArray[np.float64]


def promised(
    confidences: Floats, right: NDArray[np.bool_], *, alpha: float, delta: float
) -> Threshold:
    """The loosest confidence that keeps the promise: accepted answers are wrong at most `alpha`.

    Parameters
    ----------
    confidences : ndarray of float64, shape (n,)
        In [0, 1]; one that is NaN is never accepted.
    right : ndarray of bool, shape (n,)
        Whether each answer was acceptable.
    alpha, delta : float
        In (0, 1). The promise may be broken with probability `delta`, over the
        draw of these answers.

    Returns
    -------
    Threshold
        Without a value where no confidence keeps the promise.

    Raises
    ------
    ValueError
        If alpha or delta is not in (0, 1), or the shapes differ.

    Notes
    -----
    Fixed-sequence testing [1]_ with the Clopper-Pearson bound [2]_. The walk
    starts where enough answers are accepted for a level without any error to
    pass: fewer could only fail. The levels depend on the confidences alone,
    not on who was right. Holds for answers drawn like these. O(n log n).

    References
    ----------
    .. [1] A. Angelopoulos et al. Learn then Test: Calibrating Predictive
       Algorithms to Achieve Risk Control. arXiv:2110.01052, 2021.
    .. [2] C. Clopper, E. Pearson. The use of confidence or fiducial limits
       illustrated in the case of the binomial. Biometrika, 1934.

    Examples
    --------
    >>> sure, right = np.linspace(1.0, 0.0, 100), np.arange(100) < 60
    >>> found = promised(sure, right, alpha=0.2, delta=0.1)
    >>> found.n, round(found.ucb, 2)
    (69, 0.2)
    """
    _check(confidences, right, alpha, delta)
    known = confidences[~np.isnan(confidences)].round(DIGITS)
    wrong = ~right[~np.isnan(confidences)]
    kept: Threshold | None = None
    for level in _levels(known, fewest(alpha, delta)):
        accepted = known >= level
        n = int(accepted.sum())
        bound = upper_bound(int(wrong[accepted].sum()), n, delta)
        if bound > alpha:
            break
        kept = Threshold(alpha, delta, float(level), n, bound, n / len(right))
    return kept or Threshold(alpha, delta, None, 0, 1.0, 0.0)


def fewest(alpha: float, delta: float) -> int:
    """Answers without an error that it takes to promise `alpha`.

    Examples
    --------
    >>> fewest(0.1, 0.1), fewest(0.3, 0.1)
    (22, 7)
    """
    return math.ceil(math.log(delta) / math.log1p(-alpha))


def upper_bound(errors: int, n: int, delta: float) -> float:
    """The Clopper-Pearson upper bound of a risk: exceeded with probability `delta` at most.

    Examples
    --------
    >>> round(upper_bound(0, 22, 0.1), 4), upper_bound(5, 5, 0.1)
    (0.0994, 1.0)
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - training only: serving needs no scipy

    if errors >= n:
        return 1.0
    return float(betaincinv(errors + 1, n - errors, 1.0 - delta))


def _check(confidences: Floats, right: NDArray[Any], alpha: float, delta: float) -> None:
    if confidences.shape != right.shape or confidences.ndim != 1:
        raise ValueError(f"confidences {confidences.shape} and outcomes {right.shape} differ")
    if not (0.0 < alpha < 1.0 and 0.0 < delta < 1.0):
        raise ValueError(f"alpha is {alpha} and delta {delta}; both must be in (0, 1)")


def _levels(known: Floats, start: int) -> Iterator[np.float64]:
    """Confidences from strict to loose, of which the first accepts `start` answers or more."""
    ranked = np.sort(known)[::-1]
    if len(ranked) < start:
        return
    ranks = np.unique(np.linspace(start, len(ranked), LEVELS).round().astype(int)) - 1
    yield from np.unique(ranked[ranks])[::-1]
