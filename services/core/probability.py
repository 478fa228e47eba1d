"""What all who tell a probability share."""

import math
from collections.abc import Sequence
from typing import Final

MIN_LABELS: Final = 50
"""Labelled outcomes below which a number is a guess, and said to be one."""
DIGITS: Final = 12
"""Of a probability, that count when it is held against a threshold."""
LEAST: Final = 1e-9
"""Probabilities are read as at least this and at most one minus this."""


def sigmoid(x: float) -> float:
    """The probability that has these log-odds, without overflow.

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
    (0.5, 0.0, 1.0)
    """
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))


def log_odds(p: float) -> float:
    """The log-odds of a probability; of 0 and 1 those of the nearest one that counts.

    Examples
    --------
    >>> round(log_odds(0.9), 4), log_odds(0.0) == log_odds(LEAST)
    (2.1972, True)
    """
    within = min(max(p, LEAST), 1.0 - LEAST)
    return math.log(within / (1.0 - within))


def hits(chances: Sequence[float]) -> list[float]:
    """Probability of each number of hits: the Poisson binomial law.

    Parameters
    ----------
    chances : sequence of float, length n
        Probability of each of independent events, in [0, 1].

    Returns
    -------
    list of float, length n + 1
        Of no hit, of one, and so on; they sum to 1.

    Notes
    -----
    By convolution, O(n^2). Plain floats: of a few chances an array costs more than the sums.

    Examples
    --------
    >>> hits([0.5, 0.5])
    [0.25, 0.5, 0.25]
    """
    found = [1.0]
    for p in chances:
        pairs = zip([*found, 0.0], [0.0, *found], strict=True)
        found = [(1.0 - p) * as_many + p * one_less for as_many, one_less in pairs]
    return found


def at_least(needed: int, chances: Sequence[float]) -> float:
    """Probability of `needed` hits or more among independent chances, in [0, 1].

    Examples
    --------
    >>> at_least(1, [0.5, 0.5]), at_least(3, [0.5, 0.5])
    (0.75, 0.0)
    """
    return min(1.0, math.fsum(hits(chances)[needed:]))
