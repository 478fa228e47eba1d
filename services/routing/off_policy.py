"""What another policy would have been worth, from what one that explored has logged. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.probability import MIN_LABELS
from services.routing.features import Floats

MOST: Final = 20.0
"""At which importance weights are cut."""
DEVIATIONS: Final = 4.0
"""Standard errors by which the mean weight may miss 1 by chance."""

Ints = NDArray[np.intp]


class NoSupportError(ValueError):
    """The log does not show what the policy would do; tells what is missing."""


@dataclass(frozen=True, slots=True)
class Logged:
    """n decisions among m choices, and what came of them."""

    taken: Ints
    """Shape (n,): index of each choice."""
    propensity: Floats
    """Shape (n,): probability with which it was drawn, in (0, 1]."""
    reward: Floats
    """Shape (n,)."""
    predicted: Floats
    """Shape (n, m): reward that was predicted of every choice, by what did not see these rewards."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a policy is worth a decision, in rewards."""

    mean: float
    standard_error: float
    gain: float
    """Over the policy that was logged."""
    gain_error: float
    """Standard error of the gain."""
    n: int
    n_effective: float
    """Decisions that would tell as much had the policy itself been logged."""
    cut: float
    """Share of decisions whose weight was cut; the rest of the weight rests on predictions."""


def value_of(policy: Floats, logged: Logged, *, most: float = MOST) -> Value:
    """Estimate the worth of a policy that was not used.

    Parameters
    ----------
    policy : ndarray of float64, shape (n, m)
        Probability with which it makes each choice; rows add up to 1.
    logged : Logged
        What another policy did, with its propensities.
    most : float
        At which weights are cut, >= 1.

    Raises
    ------
    NoSupportError
        If the log does not show what the policy would do: fewer than
        `MIN_LABELS` effective decisions, or choices of the policy that were
        never drawn, so that the mean weight is not 1.
    ValueError
        If the shapes differ, or something is no probability or no number.

    Notes
    -----
    Doubly robust [1]_: the mean of what is predicted of the policy's choices,
    and of the errors of these predictions, weighed by how much likelier the
    policy made each logged choice. Right if either the predictions or the
    propensities are. Weights above `most` are cut [2]_; the bias is at most the
    error of the predictions there. O(n m).

    References
    ----------
    .. [1] M. Dudik, J. Langford, L. Li. Doubly Robust Policy Evaluation and
       Learning. arXiv:1103.4601, 2011.
    .. [2] E. Ionides. Truncated Importance Sampling. Journal of Computational
       and Graphical Statistics, 2008.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> taken, n = rng.integers(2, size=1_000), 1_000
    >>> reward = (rng.random(n) < np.where(taken == 1, 0.9, 0.5)).astype(float)
    >>> log = Logged(taken, np.full(n, 0.5), reward, np.full((n, 2), 0.7))
    >>> found = value_of(np.tile([0.0, 1.0], (n, 1)), log)
    >>> abs(found.mean - 0.9) < 3 * found.standard_error < 0.06
    True
    """
    _check(policy, logged, most)
    rows = np.arange(logged.taken.size)
    weights = policy[rows, logged.taken] / logged.propensity
    _check_support(weights, policy, logged)
    kept = np.minimum(weights, most)
    errors = logged.reward - logged.predicted[rows, logged.taken]
    terms = (policy * logged.predicted).sum(axis=1) + kept * errors
    gains = terms - logged.reward
    return Value(
        float(terms.mean()),
        _standard_error(terms),
        float(gains.mean()),
        _standard_error(gains),
        rows.size,
        effective(kept),
        float((weights > most).mean()),
    )


def effective(weights: Floats) -> float:
    """Kish's effective number of weights.

    Examples
    --------
    >>> effective(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _standard_error(terms: Floats) -> float:
    return float(terms.std(ddof=1)) / float(np.sqrt(terms.size))


def _check_support(weights: Floats, policy: Floats, logged: Logged) -> None:
    """With support everywhere the expected weight is 1, and less without."""
    n_effective = effective(weights)
    if n_effective < MIN_LABELS:
        raise NoSupportError(
            f"{weights.size} logged decisions tell as much as {n_effective:.1f} of the policy's own;"
            f" {MIN_LABELS} are needed"
        )
    wanted = policy.mean(axis=0)
    never = [m for m in range(policy.shape[1]) if wanted[m] > 0.0 and m not in logged.taken]
    mean, error = float(weights.mean()), _standard_error(weights)
    if abs(mean - 1.0) > DEVIATIONS * error + 1e-9:
        which = f"; choices {never} were never made" if never else ""
        raise NoSupportError(
            f"the mean weight is {mean:.3f} with standard error {error:.3f} where 1 is due: the log"
            f" shows too little of what the policy would do{which}"
        )


def _check(policy: Floats, logged: Logged, most: float) -> None:
    n = logged.taken.size
    shapes = (policy.shape, (n, policy.shape[-1]), logged.predicted.shape)
    if policy.ndim != 2 or len(set(shapes)) > 1:
        raise ValueError(f"policy, decisions and predictions differ in shape: {shapes}")
    if not logged.propensity.shape == logged.reward.shape == (n,):
        raise ValueError(f"{n} choices need as many propensities and rewards")
    if n and not (logged.taken.min() >= 0 and logged.taken.max() < policy.shape[1]):
        raise ValueError(f"choices must be in [0, {policy.shape[1]})")
    if not ((logged.propensity > 0.0) & (logged.propensity <= 1.0)).all():
        raise ValueError("propensities must be in (0, 1]")
    if (policy < 0.0).any() or not np.allclose(policy.sum(axis=1), 1.0):
        raise ValueError("the policy's probabilities must add up to 1 in each row")
    if not (np.isfinite(logged.reward).all() and np.isfinite(logged.predicted).all()):
        raise ValueError("rewards and predictions must be finite")
    if most < 1.0:
        raise ValueError(f"weights may not be cut at {most}; at 1 or more")
