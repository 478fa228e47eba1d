"""Which of several tiers is best for a prompt: probabilities, dollars and seconds in. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIE: Final = 1e-9
"""Adequacies that differ by less are equal: sums of the same priors differ in their last bits."""
DIGITS: Final = 6
"""Utilities that are equal to this many digits are equal."""


def cheapest_reaching(
    adequacy: Floats, bound: Floats, cost_usd: Floats, latency_s: Floats, *, target: float
) -> int:
    """The cheapest tier that reaches a target, else the most adequate one.

    Parameters
    ----------
    adequacy, bound : ndarray of float64, shape (n_tiers,)
        Predicted probability that each tier answers adequately, and its lower
        confidence bound, in [0, 1].
    cost_usd, latency_s : ndarray of float64, shape (n_tiers,)
        Expected cost and time, >= 0. Of equally dear tiers the faster counts as
        cheaper, then the one that comes first.
    target : float
        What the bound must reach, in [0, 1].

    Notes
    -----
    A prediction is not trusted further than it was seen to hold: the bound, not
    the estimate, must reach the target. O(n log n).

    Examples
    --------
    >>> costs, seconds = np.array([1.0, 2.0]), np.ones(2)
    >>> cheapest_reaching(np.array([0.8, 0.9]), np.array([0.6, 0.8]), costs, seconds, target=0.7)
    1
    """
    reaches = bound >= target - TIE
    fits = reaches if reaches.any() else adequacy >= adequacy.max() - TIE
    by_cost = np.lexsort((latency_s, cost_usd))
    return int(by_cost[fits[by_cost]][0])


def utilities(
    adequacy: Floats,
    cost_usd: Floats,
    latency_s: Floats,
    *,
    price_of_money: float,
    price_of_second: float = 0.0,
) -> Floats:
    """What each tier is worth beyond its price, in adequacy.

    Parameters
    ----------
    adequacy, cost_usd, latency_s : ndarray of float64, shape (n_tiers,)
    price_of_money : float
        Adequacy that a US dollar is worth, >= 0.
    price_of_second : float
        Adequacy that a second of waiting is worth, >= 0.

    References
    ----------
    .. [1] S. Somerstep et al. CARROT: A Cost Aware Rate Optimal Router.
       arXiv:2502.03261, 2025.

    Examples
    --------
    >>> cost = np.array([0.001, 0.02])
    >>> utilities(np.array([0.7, 0.9]), cost, np.zeros(2), price_of_money=5.0).round(3)
    array([0.695, 0.8  ])
    """
    return adequacy - price_of_money * cost_usd - price_of_second * latency_s


def best(utility: Floats, cost_usd: Floats, latency_s: Floats) -> int:
    """Index of the highest utility; of equal ones the cheaper, then the faster, then the first.

    Examples
    --------
    >>> best(np.array([0.8, 0.8]), np.array([2.0, 1.0]), np.zeros(2))
    1
    """
    return int(np.lexsort((latency_s, cost_usd, -utility.round(DIGITS)))[0])


def strong_from(weak: Floats, strong: Floats, *, share: float) -> float:
    """How much better the strong tier must be expected to be, for a share of prompts to go there.

    Parameters
    ----------
    weak, strong : ndarray of float64, shape (n_prompts,)
        Adequacy of the two tiers, predicted for prompts that the fit had not
        seen; not empty.
    share : float
        Share of prompts for the strong tier, in [0, 1].

    Returns
    -------
    float
        Threshold on ``strong - weak``; infinite where no prompt may go there.

    References
    ----------
    .. [1] I. Ong et al. RouteLLM. arXiv:2406.18665, 2024: its threshold is
       calibrated to a share of strong calls in the same way.

    Examples
    --------
    >>> strong_from(np.zeros(5), np.array([0.1, 0.2, 0.3, 0.4, 0.5]), share=0.25)
    0.4
    """
    if share <= 0.0:
        return float("inf")
    return float(np.quantile(strong - weak, 1.0 - share)) if share < 1.0 else float("-inf")


def cascade_order(
    adequacy: NDArray[np.float64],
    cost_usd: NDArray[np.float64],
    latency_s: NDArray[np.float64],
    *,
    min_adequacy: float,
) -> NDArray[np.intp]:
    """Order tiers from the cheapest adequate one up to the strongest.

    A tier is kept if its adequacy reaches `min_adequacy` and is not below that
    of any cheaper kept tier, so no escalation loses quality; among equals a
    second opinion is worth its price. The most adequate tiers are always kept,
    even when none reaches the threshold.

    Parameters
    ----------
    adequacy : ndarray of float64, shape (n_tiers,)
        Predicted probability that each tier answers adequately, in [0, 1].
    cost_usd : ndarray of float64, shape (n_tiers,)
        Expected cost of one pass per tier, in US dollars, >= 0.
    latency_s : ndarray of float64, shape (n_tiers,)
        Expected seconds to each tier's answer, >= 0. Of equally dear tiers the
        faster counts as cheaper, then the one that comes first.
    min_adequacy : float
        Threshold in (0, 1].

    Returns
    -------
    ndarray of intp, shape (n_kept,)
        Tier indices in escalation order; 1 <= n_kept <= n_tiers.

    Raises
    ------
    ValueError
        If the arrays are empty, differ in shape, or hold a NaN.

    Notes
    -----
    Trying models from cheap to strong is the LLM cascade of FrugalGPT [1]_;
    thresholding a predicted win rate is RouteLLM's router [2]_. O(n log n).

    References
    ----------
    .. [1] L. Chen, M. Zaharia, J. Zou. FrugalGPT. arXiv:2305.05176, 2023.
    .. [2] I. Ong et al. RouteLLM. arXiv:2406.18665, 2024.

    Examples
    --------
    >>> costs, seconds = np.array([1.0, 2.0, 3.0]), np.ones(3)
    >>> cascade_order(np.array([0.4, 0.8, 0.9]), costs, seconds, min_adequacy=0.5)
    array([1, 2])
    """
    if adequacy.size == 0 or not adequacy.shape == cost_usd.shape == latency_s.shape:
        raise ValueError(
            f"adequacy {adequacy.shape}, cost_usd {cost_usd.shape} and latency_s {latency_s.shape} "
            "must match and not be empty"
        )
    if np.isnan(adequacy).any() or np.isnan(cost_usd).any() or np.isnan(latency_s).any():
        raise ValueError("adequacy, cost_usd and latency_s must not hold NaN")

    by_cost = np.lexsort((latency_s, cost_usd))
    ranked = adequacy[by_cost]
    at_least = min(min_adequacy, ranked.max())
    kept = ranked >= np.maximum(np.maximum.accumulate(ranked), at_least) - TIE
    order: NDArray[np.intp] = by_cost[kept]
    return order
