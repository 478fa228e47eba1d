"""What all who tell a probability share."""

import math
from typing import Final

MIN_LABELS: Final = 50
"""Labelled outcomes below which a number is a guess, and said to be one."""


def sigmoid(x: float) -> float:
    """The probability that has these log-odds, without overflow.

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
    (0.5, 0.0, 1.0)
    """
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))
