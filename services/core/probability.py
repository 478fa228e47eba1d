"""What all who tell a probability share."""

import math
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
