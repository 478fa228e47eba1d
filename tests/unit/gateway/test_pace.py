"""A dollar weighs more while a budget is spent faster than time goes by."""

from datetime import UTC, datetime

import pytest

from services.config.tree import Config
from services.gateway.accounts import Accounts
from services.gateway.pace import price_of_money

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


@pytest.mark.parametrize(("spent_usd", "expected"), [(5.0, 100.0), (5.2, 544.7), (4.8, 19.41)])
def test_follows_what_was_spent_of_its_budget(spent_usd, expected):
    told = price(spent_usd, rule="budget", budget="day", value_usd=0.01)

    assert told == pytest.approx(expected, rel=1e-3)


def test_other_policies_follow_no_budget():
    assert price(9.0, rule="utility") is None
