"""Whether asking somebody else is worth its price: probabilities and dollars in, a choice out. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CORRELATION: Final = 0.5
"""How far two tiers are sure of the same prompts; measured .5 on prose, .3 to .5 on tool calls."""
LEAST_SPREAD: Final = 1e-9
LEAST: Final = 1e-3
"""Nothing is believed to be less likely, nor its opposite."""


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


def told_together(ahead: float, seen: float, *, base: float) -> float:
    """P(right) by what was expected of a prompt and by what its answer looks like.

    Parameters
    ----------
    ahead : float
        As predicted of this prompt before anybody was asked, in [0, 1].
    seen : float
        By signals on the answer alone, in [0, 1].
    base : float
        Share of right answers among those that the signals were learned from, in [0, 1].

    Notes
    -----
    Naive Bayes: of independent evidence the ratios of odds to those of the base
    rate multiply. Where the signals tell nothing (`seen` is `base`), what was
    expected stands.

    Examples
    --------
    >>> round(told_together(0.9, 0.6, base=0.6), 9), round(told_together(0.5, 0.8, base=0.5), 9)
    (0.9, 0.8)
    """
    odds = _log_odds(ahead) + _log_odds(seen) - _log_odds(base)
    return 1.0 / (1.0 + math.exp(-odds))


def moved(expected: Quality, *, ahead: float, now: float, correlation: float) -> Quality:
    """What is expected of another answer once the one in hand is surer, or less sure, than predicted.

    Parameters
    ----------
    expected : Quality
        Of the other one, as predicted before anybody was asked.
    ahead, now : float
        P(right) of the one in hand, as predicted then and as it is known now, in [0, 1].
    correlation : float
        Of the two outcomes less what was predicted of them, in [-1, 1].

    Notes
    -----
    The best linear prediction: an outcome's error moves the other's by the
    correlation times the ratio of their standard deviations, sqrt(p (1 - p)).

    Examples
    --------
    >>> told = moved(Quality(0.8, 0.1), ahead=0.8, now=0.4, correlation=0.5)
    >>> round(told.mean, 9), told.spread
    (0.6, 0.1)
    """
    ratio = math.sqrt(_variance(expected.mean) / _variance(ahead))
    mean = expected.mean + correlation * ratio * (now - ahead)
    return Quality(min(max(mean, 0.0), 1.0), expected.spread)


def _log_odds(p: float) -> float:
    kept = min(max(p, LEAST), 1.0 - LEAST)
    return math.log(kept / (1.0 - kept))


def _variance(p: float) -> float:
    kept = min(max(p, LEAST), 1.0 - LEAST)
    return kept * (1.0 - kept)
