"""What money weighs in a route: the more, the faster a budget is spent than time goes by. No I/O."""

import math
from datetime import datetime
from typing import Final

from services.config.tree import Ensemble, RouteEnsemble
from services.gateway.accounts import Accounts
from services.gateway.periods import period_start

GAIN: Final = 50.0
"""How fast it rises: a fiftieth of a budget spent too early makes a dollar weigh 2.7 times more."""
LEAST: Final = 1e-6
MOST: Final = 1e6


def price_of_money(
    ensemble: Ensemble, accounts: Accounts, *, caller: str, now: datetime
) -> float | None:
    """By the budget that the ensemble's policy follows; None where it follows none."""
    policy = ensemble.policy if isinstance(ensemble, RouteEnsemble) else None
    if policy is None or policy.budget is None:
        return None
    account = accounts.followed(policy.budget, caller=caller, now=now)
    start = period_start(account.budget.per, now)
    return dual_price(
        spent_usd=account.spent_usd,
        budget_usd=account.budget.max_usd,
        elapsed=(now - start) / (account.ends - start),
        as_planned=1.0 / policy.value_usd,
    )


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
    The dual variable of the budget, by multiplicative steps as in [1]_: each
    request multiplies the price by ``exp(eta (cost / planned - 1))``. The steps
    add up to ``eta T (spent / budget - elapsed)`` for T requests a period, so
    that the sum of what was spent is all that has to be kept: the price is the
    same after a restart, and ``GAIN`` stands for ``eta T``.

    References
    ----------
    .. [1] S. Balseiro, H. Lu, V. Mirrokni. The Best of Many Worlds: Dual Mirror
       Descent for Online Allocation Problems. arXiv:2011.10124, 2020.

    Examples
    --------
    >>> dual_price(spent_usd=5.0, budget_usd=10.0, elapsed=0.5, as_planned=100.0)
    100.0
    >>> round(dual_price(spent_usd=5.2, budget_usd=10.0, elapsed=0.5, as_planned=100.0))
    272
    """
    if budget_usd <= 0.0:
        return MOST
    ahead = GAIN * (spent_usd / budget_usd - elapsed)
    return min(MOST, max(LEAST, as_planned * math.exp(min(ahead, 50.0))))
