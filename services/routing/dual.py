"""What money weighs in a route, so that a budget lasts its period. Pure.

The price follows what is left of the money and of the time. Both are known after a restart, so that
nothing else has to be kept. That a budget is never exceeded is not its promise: whoever spends
reserves first.
"""

import math
from typing import Final

GAIN: Final = 50.0
"""How fast the price rises: a fiftieth more of the money gone than of the time makes a dollar weigh
2.7 times more, or somewhat less early in a period."""
SLACK: Final = 0.1
"""Share of the period and of the budget that is added to what is left of both: without it a single
request near the end would move the price by orders of magnitude."""
LEAST: Final = 1e-6
MOST: Final = 1e6


def dual_price(*, spent_usd: float, budget_usd: float, elapsed: float, as_planned: float) -> float:
    """What a US dollar weighs against a certainly adequate answer.

    Parameters
    ----------
    spent_usd, budget_usd : float
        Of the present period, >= 0.
    elapsed : float
        Share of the period that is over, in [0, 1].
    as_planned : float
        The price while money is spent as evenly as time goes by, > 0.

    Returns
    -------
    float
        In [LEAST, MOST].

    Notes
    -----
    The dual variable of the budget by multiplicative steps [1]_: each request
    multiplies the price by ``exp(eta (cost / b - 1))``, where ``b`` is the
    money left over the requests left. With ``GAIN`` over the requests left as
    the step ``eta``, the steps add up to ``GAIN log(time left / money left)``,
    both as shares: two numbers hold the whole past. Where the price that fits
    the budget is a hundred times `as_planned`, a tenth of the budget goes too
    early, and it ends with the last hundredth of the period.

    References
    ----------
    .. [1] S. Balseiro, H. Lu, V. Mirrokni. The Best of Many Worlds: Dual Mirror
       Descent for Online Allocation Problems. arXiv:2011.10124, 2020.

    Examples
    --------
    >>> dual_price(spent_usd=5.0, budget_usd=10.0, elapsed=0.5, as_planned=100.0)
    100.0
    >>> round(dual_price(spent_usd=5.2, budget_usd=10.0, elapsed=0.5, as_planned=100.0))
    545
    """
    if budget_usd <= 0.0:
        return MOST
    money = max(0.0, 1.0 - spent_usd / budget_usd) + SLACK
    time = 1.0 - elapsed + SLACK
    return min(MOST, max(LEAST, as_planned * math.pow(time / money, GAIN)))
