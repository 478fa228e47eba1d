"""Whether asking somebody else is worth its price: probabilities and dollars in, a choice out. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CORRELATION: Final = 0.5
"""How far two tiers are sure of the same prompts; measured .5 on prose, .3 to .5 on tool calls."""
LEAST_SPREAD: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Quality:
    """How likely an answer is right, and how far that may be off."""

    mean: float
    """In [0, 1]."""
    spread: float
    """Standard deviation, >= 0."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be asked next."""

    quality: Quality
    """Of its answers to prompts like this."""
    cost_usd: float
    """Expected price, >= 0."""
    correlation: float = CORRELATION
    """Of its mistakes and those behind the answer in hand, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The offer that is worth most beyond its price."""

    index: int
    improvement: float
    """By which it is expected to raise the probability of the better answer, >= 0."""
    gain_usd: float
    """What that is worth, less the price; above 0."""


def improvement(now: Quality, other: Quality, *, correlation: float = CORRELATION) -> float:
    """Expected gain of the better one of two over the one in hand.

    Parameters
    ----------
    now, other : Quality
    correlation : float
        Of the two, in [-1, 1].

    Returns
    -------
    float
        E[max(now, other)] - E[now], >= 0, for normal variables.

    References
    ----------
    .. [1] C. Clark. The Greatest of a Finite Set of Random Variables.
       Operations Research 9(2), 1961.
    .. [2] J. Dekoninck et al. A Unified Approach to Routing and Cascading for
       LLMs. arXiv:2410.10347, 2024.

    Examples
    --------
    >>> round(improvement(Quality(0.6, 0.0), Quality(0.9, 0.0)), 9)
    0.3
    >>> round(improvement(Quality(0.9, 0.0), Quality(0.9, 0.2)), 4)
    0.0798
    """
    both = 2.0 * correlation * now.spread * other.spread
    theta = math.sqrt(max(0.0, now.spread**2 + other.spread**2 - both))
    ahead = other.mean - now.mean
    if theta < LEAST_SPREAD:
        return max(0.0, ahead)
    a = ahead / theta
    below = 0.5 * (1.0 + math.erf(a / math.sqrt(2.0)))
    density = math.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi)
    return max(0.0, ahead * below + theta * density)


def best_offer(now: Quality, offers: Sequence[Offer], *, value_usd: float) -> Choice | None:
    """The offer whose improvement beats its price by most; None where none does.

    Parameters
    ----------
    now : Quality
        Of the answer in hand.
    offers : sequence of Offer
    value_usd : float
        What a right answer is worth more than a wrong one, > 0.

    Notes
    -----
    Maximises EI - C / value [2]_, the second reference of `improvement`. Of
    equal gains the first offer. O(n).

    Examples
    --------
    >>> offers = [Offer(Quality(0.8, 0.1), 0.01), Offer(Quality(0.95, 0.1), 0.02)]
    >>> best_offer(Quality(0.5, 0.05), offers, value_usd=1.0).index
    1
    >>> best_offer(Quality(0.5, 0.05), offers, value_usd=0.01) is None
    True
    """
    best: Choice | None = None
    for index, offer in enumerate(offers):
        gained = improvement(now, offer.quality, correlation=offer.correlation)
        gain_usd = gained * value_usd - offer.cost_usd
        if gain_usd > (best.gain_usd if best else 0.0):
            best = Choice(index, gained, gain_usd)
    return best
