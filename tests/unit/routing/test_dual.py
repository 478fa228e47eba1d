"""A dollar weighs more while a budget is spent faster than time goes by, so that it lasts."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.dual import LEAST, MOST, dual_price

N = 1_000


def price(spent, elapsed, *, as_planned=1.0):
    return dual_price(spent_usd=spent, budget_usd=1.0, elapsed=elapsed, as_planned=as_planned)


shares = st.floats(0.0, 1.0)


@given(shares, shares, shares)
def test_rises_with_spend_and_falls_with_time(one, two, elapsed):
    less, more = sorted((one, two))

    assert LEAST <= price(less, elapsed) <= price(more, elapsed) <= MOST
    assert price(elapsed, more) <= price(elapsed, less)


@given(shares, st.floats(0.01, 100.0))
def test_is_as_planned_while_money_goes_as_evenly_as_time(share, planned):
    assert planned == pytest.approx(price(share, share, as_planned=planned))


@given(st.floats(0.0, 0.9), st.floats(1e-4, 1e-2), st.floats(1e-4, 1e-2))
def test_one_step_is_the_multiplicative_update_of_the_dual(share, cost, over):
    """One request that costs `cost` while `over` of the period goes by."""
    stepped = price(share + cost, share + over)

    left = 1.1 - share
    assert np.log(stepped) == pytest.approx(50.0 * (cost - over) / left, abs=0.06)


@pytest.mark.parametrize("spent", [0.0, 5.0])
def test_without_any_budget_money_is_all_that_counts(spent):
    assert MOST == dual_price(spent_usd=spent, budget_usd=0.0, elapsed=0.1, as_planned=1.0)


def test_stays_finite_when_more_is_spent_than_there_was():
    assert MOST == price(3.0, 0.0, as_planned=100.0)


@dataclass(frozen=True)
class Stream:
    """Requests that three tiers could answer; chosen by the price, within the budget."""

    adequacy: np.ndarray
    cost_usd: np.ndarray

    @classmethod
    def drawn(cls, seed):
        rng = np.random.default_rng(seed)
        small = rng.uniform(0.3, 0.8, N)
        gains = np.cumsum([np.zeros(N), rng.uniform(0, 0.3, N), rng.uniform(0, 0.2, N)], axis=0)
        costs = np.outer([0.001, 0.004, 0.03], rng.lognormal(0.0, 0.6, N))
        return cls((small + gains).T, costs.T)

    def at(self, fixed):
        """Adequacy and cost of all requests at one price."""
        best = (np.arange(N), (self.adequacy - fixed * self.cost_usd).argmax(axis=1))
        return self.adequacy[best].sum(), self.cost_usd[best].sum()

    def in_hindsight(self, budget_usd):
        """The most adequacy that a single price affords."""
        return max(a for a, c in map(self.at, np.geomspace(1e-3, 1e4, 400)) if c <= budget_usd)

    def paced(self, budget_usd, as_planned):
        """Adequacy, money spent, and requests for which none was left."""
        spent, adequate, refused = 0.0, 0.0, 0
        for nth, (adequacy, cost) in enumerate(zip(self.adequacy, self.cost_usd, strict=True)):
            dollar = dual_price(
                spent_usd=spent, budget_usd=budget_usd, elapsed=nth / N, as_planned=as_planned
            )
            worth = np.where(cost <= budget_usd - spent, adequacy - dollar * cost, -np.inf)
            if np.isinf(worth).all():
                refused += 1
                continue
            spent += cost[worth.argmax()]
            adequate += adequacy[worth.argmax()]
        return adequate, spent, refused


@pytest.mark.parametrize("as_planned", [1.0, 20.0, 400.0])
@pytest.mark.parametrize("budget_usd", [1.6, 3.0, 8.0, 20.0])
def test_a_stream_gets_nearly_what_the_best_price_would_have_given_it(budget_usd, as_planned):
    """The least that it can cost is about 1.2; no price but the planned one is ever told."""
    stream = Stream.drawn(seed=0)

    adequate, spent, refused = stream.paced(budget_usd, as_planned)

    assert spent <= budget_usd
    assert refused <= 0.012 * N
    assert adequate >= 0.97 * stream.in_hindsight(budget_usd)
