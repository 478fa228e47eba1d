"""The price of money that a request's policy goes by, from the budget that it follows. No I/O."""

from datetime import datetime

from services.config.tree import Ensemble, RouteEnsemble
from services.gateway.accounts import Accounts
from services.gateway.periods import period_start
from services.routing.dual import dual_price


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
