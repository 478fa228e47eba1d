"""A dollar weighs more while a budget is spent faster than time goes by."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.config.tree import Config
from services.gateway.accounts import Accounts
from services.gateway.pace import LEAST, MOST, dual_price, price_of_money

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5.0}


def config(**policy):
    tiers = [{"name": name, "jurors": [{"model": name}]} for name in ("small", "large")]
    main = {"pattern": "route", "tiers": tiers, "policy": policy}
    return Config.model_validate(
        {
            "models": {"small": MODEL, "large": MODEL},
            "ensembles": {"main": main},
            "budgets": {"day": {"max_usd": 10.0, "per": "day"}},
        }
    )


def price(spent_usd, **policy):
    loaded = config(**policy)
    accounts = Accounts(loaded.budgets)
    hold = accounts.hold(ensemble="main", caller="a", most_usd=spent_usd, free=True, now=NOON)
    hold.settle(spent_usd)
    return price_of_money(loaded.ensembles["main"], accounts, caller="a", now=NOON)


@pytest.mark.parametrize(("spent_usd", "expected"), [(5.0, 100.0), (5.2, 271.8), (4.8, 36.79)])
def test_follows_what_was_spent_of_its_budget(spent_usd, expected):
    told = price(spent_usd, rule="budget", budget="day", value_usd=0.01)

    assert told == pytest.approx(expected, rel=1e-3)


def test_other_policies_follow_no_budget():
    assert price(9.0, rule="utility") is None


shares = st.floats(0.0, 1.0)


@given(shares, shares, shares)
def test_rises_with_spend_and_falls_with_time(one, two, elapsed):
    less, more = sorted((one, two))

    def at(spent, over):
        return dual_price(spent_usd=spent, budget_usd=1.0, elapsed=over, as_planned=1.0)

    assert LEAST <= at(less, elapsed) <= at(more, elapsed) <= MOST
    assert at(elapsed, more) <= at(elapsed, less)


def test_without_any_budget_money_is_all_that_counts():
    assert dual_price(spent_usd=0.0, budget_usd=0.0, elapsed=0.1, as_planned=1.0) == MOST


@pytest.mark.parametrize("budget_usd", [1.5, 2.0, 3.0])
def test_a_stream_of_requests_keeps_its_budget(budget_usd):
    """Two tiers: one costs 1 mUSD and is right with .6, one costs 4 mUSD and gains up to .4."""
    rng = np.random.default_rng(0)
    spent, n = 0.0, 1_000
    for nth in range(n):
        dollar = dual_price(
            spent_usd=spent, budget_usd=budget_usd, elapsed=nth / n, as_planned=20.0
        )
        strong = rng.uniform(0.0, 0.4) > dollar * 0.003
        spent += 0.004 if strong else 0.001

    least, most = 0.001 * n, 0.004 * n
    assert spent == pytest.approx(min(max(budget_usd, least), most), rel=0.05)
