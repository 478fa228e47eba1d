"""Predicted adequacy of jurors and tiers: priors in, probabilities out. Pure, uncalibrated."""

from collections.abc import Sequence
from typing import Final

from services.core.probability import hits, log_odds, sigmoid

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


def juror_adequacy(prior: float, *, complexity: float, specialist: bool) -> float:
    """Predict how likely a juror answers a prompt adequately.

    Parameters
    ----------
    prior : float
        Configured probability of an adequate answer to an average prompt, in
        [0, 1].
    complexity : float
        How hard the prompt looks, in [0, 1].
    specialist : bool
        Whether the juror is a specialist for the prompt's domain.

    Returns
    -------
    float
        Probability in (0, 1), falling in `complexity`.

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
    >>> round(juror_adequacy(0.7, complexity=0.25, specialist=False), 3)
    0.7
    """
    difficulty = SLOPE * (complexity - MEAN_COMPLEXITY)
    return sigmoid(_logit(prior) - difficulty + SPECIALIST_LOGITS * specialist)


def tier_adequacy(jurors: Sequence[float], *, shared_fate: float = SHARED_FATE) -> float:
    """Predict how likely the jurors' majority is adequate.

    Parameters
    ----------
    jurors : sequence of float, length n_jurors
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
    >>> round(tier_adequacy([0.8, 0.8, 0.8]), 4)
    0.8576
    """
    if not jurors:
        raise ValueError("a tier must have jurors")
    together = sum(jurors) / len(jurors)
    return shared_fate * together + (1.0 - shared_fate) * _majority(jurors)


def interval(adequacy: float) -> tuple[float, float]:
    """Lower and upper end of the interval around an uncalibrated adequacy, in [0, 1]."""
    centre = _logit(adequacy)
    low, high = sigmoid(centre - HALF_WIDTH_LOGITS), sigmoid(centre + HALF_WIDTH_LOGITS)
    return min(adequacy, low), max(adequacy, high)


def _majority(jurors: Sequence[float]) -> float:
    """Probability that more than half of independent jurors are right, ties counting half."""
    right, half = hits(jurors), len(jurors) / 2
    tie = right[len(jurors) // 2] if len(jurors) % 2 == 0 else 0.0
    return min(1.0, sum(p for n, p in enumerate(right) if n > half) + tie / 2)


def _logit(p: float) -> float:
    return log_odds(min(max(p, FLOOR), 1.0 - FLOOR))
