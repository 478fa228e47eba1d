"""Predicted adequacy of jurors and tiers: priors in, probabilities out. Pure, uncalibrated."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MEAN_COMPLEXITY: Final = 0.25
"""Complexity of the average prompt that a prior speaks of."""
SLOPE: Final = 3.0
"""Logits that a juror loses from the easiest to the hardest prompt."""
SPECIALIST_LOGITS: Final = 0.7
"""Logits that a specialist gains in its own domain: its odds double."""
SHARED_FATE: Final = 0.4
"""Share of prompts on which jurors are right or wrong together."""
HALF_WIDTH_LOGITS: Final = 1.5
"""Half the width of the interval: wide, because no outcome stands behind it."""
FLOOR: Final = 0.01
"""Priors are read as at least this and at most one minus this."""


def juror_adequacy(
    prior: NDArray[np.float64], *, complexity: float, specialist: bool
) -> NDArray[np.float64]:
    """Predict how likely each juror answers a prompt adequately.

    Parameters
    ----------
    prior : ndarray of float64, shape (n_jurors,)
        Configured probability of an adequate answer to an average prompt, in
        [0, 1].
    complexity : float
        How hard the prompt looks, in [0, 1].
    specialist : bool
        Whether the jurors are specialists for the prompt's domain.

    Returns
    -------
    ndarray of float64, shape (n_jurors,)
        Probabilities in (0, 1), falling in `complexity`.

    Notes
    -----
    The Rasch model [1]_: the log-odds of success are ability minus difficulty,
    ``logit(prior) - SLOPE * (complexity - MEAN_COMPLEXITY)``, plus
    ``SPECIALIST_LOGITS``. The constants are guesses until outcomes are fitted.

    References
    ----------
    .. [1] G. Rasch. Probabilistic Models for Some Intelligence and Attainment
       Tests. Danish Institute for Educational Research, 1960.

    Examples
    --------
    >>> juror_adequacy(np.array([0.7]), complexity=0.25, specialist=False).round(3)
    array([0.7])
    """
    ability = _logit(np.clip(prior, FLOOR, 1.0 - FLOOR))
    difficulty = SLOPE * (complexity - MEAN_COMPLEXITY)
    return _sigmoid(ability - difficulty + SPECIALIST_LOGITS * specialist)


def tier_adequacy(jurors: NDArray[np.float64], *, shared_fate: float = SHARED_FATE) -> float:
    """Predict how likely the jurors' majority is adequate.

    Parameters
    ----------
    jurors : ndarray of float64, shape (n_jurors,)
        Adequacy of each juror, in [0, 1].
    shared_fate : float
        Share of prompts on which they stand or fall together, in [0, 1]: the
        correlation of their mistakes where it was learned.

    Returns
    -------
    float
        Probability in [0, 1]. A juror alone keeps its own.

    Raises
    ------
    ValueError
        If there are no jurors.

    Notes
    -----
    Condorcet's majority assumes independent jurors, which models are not. On a
    share `shared_fate` of the prompts they stand or fall together, with their
    mean adequacy; on the others the majority decides, a tie counting half. The
    measured error correlation of model juries is 0.3 to 0.5 [1]_. O(n^2).

    References
    ----------
    .. [1] E. Kim, A. Garg, K. Peng, N. Garg. Correlated Errors in Large
       Language Models. ICML 2025.

    Examples
    --------
    >>> round(tier_adequacy(np.array([0.8, 0.8, 0.8])), 4)
    0.8576
    """
    if jurors.size == 0:
        raise ValueError("a tier must have jurors")
    together = float(jurors.mean())
    return shared_fate * together + (1.0 - shared_fate) * _majority(jurors)


def interval(adequacy: float) -> tuple[float, float]:
    """Lower and upper end of the interval around an uncalibrated adequacy, in [0, 1]."""
    centre = _logit(np.clip(np.array([adequacy]), FLOOR, 1.0 - FLOOR))
    ends = _sigmoid(centre + np.array([-HALF_WIDTH_LOGITS, HALF_WIDTH_LOGITS]))
    return min(adequacy, float(ends[0])), max(adequacy, float(ends[1]))


def _majority(jurors: NDArray[np.float64]) -> float:
    """Probability that more than half of independent jurors are right, ties counting half."""
    counts = np.array([1.0])
    for p in jurors:
        counts = np.convolve(counts, [1.0 - p, p])
    right = np.arange(counts.size)
    weight = np.where(2 * right > jurors.size, 1.0, np.where(2 * right == jurors.size, 0.5, 0.0))
    return float(np.clip(counts @ weight, 0.0, 1.0))


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(p) - np.log1p(-p)


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-x))
