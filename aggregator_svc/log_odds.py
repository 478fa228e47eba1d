"""Weights of jurors by how often they are right: priors in, weights out. No I/O."""

from collections.abc import Sequence

import numpy as np

from aggregator_svc.voting import Floats
from services.core.priors import ballot_weight, dominant


def log_odds(priors: Floats) -> Floats:
    """Weights of votes between many possible answers.

    Parameters
    ----------
    priors : ndarray of float64, shape (n,)
        Probability in [0, 1] that each juror is right. No NaN.

    Returns
    -------
    ndarray of float64, shape (n,)
        As `services.core.priors` has them, at least 0.

    Raises
    ------
    ValueError
        If a prior is NaN.

    Examples
    --------
    >>> log_odds(np.array([0.9, 0.5, 0.1])).round(2).tolist()
    [3.4, 1.2, 0.0]
    """
    if np.isnan(priors).any():
        raise ValueError("priors must not hold NaN")
    return np.array([ballot_weight(float(prior)) for prior in priors], dtype=np.float64)


def prior_weights(
    priors: Floats, given: Sequence[int], heard: Sequence[int] | None = None
) -> tuple[Floats, bool]:
    """Weights of all jurors, and whether one alone has any: the gate of a vote without labels.

    Parameters
    ----------
    priors : ndarray of float64, shape (n,)
        Probability in [0, 1] that each juror is right. No NaN.
    given : sequence of int
        Jurors that gave a ballot: the best stands for all only if it did.
    heard : sequence of int, optional
        Jurors that may have a weight at all. Unset: all.
    """
    known = list(range(priors.size)) if heard is None else list(heard)
    weights = np.zeros(priors.size)
    best = dominant([float(priors[i]) for i in known])
    if best is None or known[best] not in given:
        weights[known] = log_odds(priors)[known]
        return weights, False
    weights[known[best]] = 1.0
    return weights, True
