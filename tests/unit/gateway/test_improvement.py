"""Asking on is worth it exactly as long as the expected improvement beats its price."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.patterns.improvement import (
    Offer,
    Quality,
    best_offer,
    improvement,
    moved,
    told_together,
)

shares = st.floats(0.0, 1.0)
spreads = st.floats(0.0, 0.5)
qualities = st.builds(Quality, shares, spreads)


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize(("now", "other"), [(0.6, 0.8), (0.9, 0.5), (0.7, 0.7)])
def test_is_the_mean_gain_of_the_better_one_of_two(now, other, correlation):
    rng = np.random.default_rng(0)
    spread = np.array([0.1, 0.2])
    both = np.outer(spread, spread) * np.array([[1.0, correlation], [correlation, 1.0]])
    drawn = rng.multivariate_normal([now, other], both, size=400_000)

    gained = improvement(Quality(now, 0.1), Quality(other, 0.2), correlation=correlation)

    assert gained == pytest.approx(drawn.max(axis=1).mean() - now, abs=1e-3)


@given(shares, shares)
def test_of_two_that_are_known_it_is_their_difference(now, other):
    assert improvement(Quality(now, 0.0), Quality(other, 0.0)) == max(0.0, other - now)


@given(qualities, qualities)
def test_nobody_who_may_be_ignored_makes_it_worse(now, other):
    gained = improvement(now, other)

    assert max(0.0, other.mean - now.mean) - 1e-12 <= gained <= 1.5


@given(qualities, shares, shares, spreads)
def test_a_better_one_improves_more(now, one, two, spread):
    low, high = sorted((one, two))

    assert improvement(now, Quality(low, spread)) <= improvement(now, Quality(high, spread)) + 1e-12


NOW = Quality(0.7, 0.05)


@pytest.mark.parametrize(
    ("price", "index"),
    [
        pytest.param(0.1, 0, id="worth it"),
        pytest.param(0.3, None, id="too dear"),
    ],
)
def test_a_price_may_be_more_than_the_improvement_is_worth(price, index):
    choice = best_offer(NOW, [Offer(Quality(0.9, 0.0), price)], value_usd=1.0)

    assert index == (choice.index if choice else None)


def test_the_offer_that_is_worth_most_is_chosen():
    offers = [Offer(Quality(0.75, 0.0), 0.001), Offer(Quality(0.95, 0.0), 0.002)]

    choice = best_offer(NOW, offers, value_usd=1.0)

    assert (1, True) == (choice.index, choice.gain_usd > 0.2)


def test_without_an_offer_there_is_no_choice():
    assert best_offer(NOW, [], value_usd=1.0) is None


inner = st.floats(0.01, 0.99)


@given(inner, inner)
def test_signals_that_tell_nothing_leave_what_was_expected(ahead, base):
    assert ahead == pytest.approx(told_together(ahead, base, base=base))


@given(inner, inner)
def test_a_prompt_like_any_other_leaves_what_the_signals_tell(seen, base):
    assert seen == pytest.approx(told_together(base, seen, base=base))


def test_independent_evidence_counts_as_bayes_says():
    """Of 1,000, 600 are right; one sign has 1 in 2 of those and 1 in 4 of the others, as the other."""
    one = 300 / (300 + 100)
    both = 150 / (150 + 25)

    assert both == pytest.approx(told_together(one, one, base=0.6))


@pytest.mark.parametrize(("now", "right"), [(1.0, 0.4 / 0.6), (0.0, 0.1 / 0.4), (0.6, 0.5)])
def test_what_came_of_one_tells_of_the_other_as_their_table_says(now, right):
    """One is right with .6, the other with .5, both with .4."""
    correlation = (0.4 - 0.6 * 0.5) / (0.24 * 0.25) ** 0.5

    told = moved(Quality(0.5, 0.1), ahead=0.6, now=now, correlation=correlation)

    assert (pytest.approx(right), 0.1) == (told.mean, told.spread)


@given(qualities, shares, shares, st.floats(-1.0, 1.0))
def test_what_is_expected_stays_a_probability(expected, ahead, now, correlation):
    assert 0.0 <= moved(expected, ahead=ahead, now=now, correlation=correlation).mean <= 1.0


def test_of_equal_offers_the_first_is_taken_and_none_that_gains_nothing():
    now, worse, better = Quality(0.6, 0.0), Quality(0.5, 0.0), Quality(0.9, 0.0)

    assert 0 == best_offer(now, [Offer(better, 0.1)] * 2, value_usd=1.0).index
    assert best_offer(now, [Offer(worse, 0.0)], value_usd=1.0) is None
