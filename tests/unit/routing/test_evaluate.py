"""Routers are measured as RouteLLM measures them."""

import numpy as np
import pytest

from services.routing.evaluate import cost_at_quality, curve, paired_bootstrap


def outcomes(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random(n) < 0.6).astype(float), (rng.random(n) < 0.8).astype(float)


def test_a_random_router_recovers_half_of_the_gap():
    weak, strong = outcomes()
    found = [
        curve(np.random.default_rng(seed).random(weak.size), weak, strong).apgr
        for seed in range(100, 120)
    ]

    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_the_oracle_recovers_more_than_the_gap():
    weak, strong = outcomes()

    assert curve(strong - weak, weak, strong).apgr > 1.0


def test_the_curve_runs_from_all_strong_to_all_weak():
    weak, strong = outcomes()
    found = curve(np.arange(weak.size, dtype=float), weak, strong)

    assert (1.0, 0.0) == (found.shares[0], found.shares[-1])
    assert (strong.mean(), weak.mean()) == (found.accuracies[0], found.accuracies[-1])
    assert 11 == found.shares.size


def test_by_hand():
    """Twelve prompts, the strong model helps on the top one alone: every mix but the last has it."""
    weak, strong = np.zeros(12), np.zeros(12)
    strong[11] = 1.0
    found = curve(np.arange(12, dtype=float), weak, strong)

    assert [12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 0] == pytest.approx((12 * found.shares).tolist())
    assert found.apgr == pytest.approx(10 / 12 + (2 / 12) / 2)


def test_ties_are_broken_at_random_not_by_position():
    weak, strong = np.zeros(1000), np.concatenate([np.zeros(500), np.ones(500)])
    found = curve(np.zeros(1000), weak, strong)

    assert found.apgr == pytest.approx(0.5, abs=0.05)
    assert np.allclose(np.diff(found.shares), -0.1, atol=0.002)


def test_a_strong_model_that_is_not_the_better_one_leaves_it_undefined():
    found = curve(np.arange(20.0), np.ones(20), np.zeros(20))

    assert np.isnan([found.apgr, found.pgr(0.5), found.cpt(0.5)]).all()


def test_tells_the_share_of_strong_calls_that_recovers_some_of_the_gap():
    weak, strong = np.zeros(1001), np.ones(1001)
    found = curve(np.arange(1001.0), weak, strong)

    assert found.cpt(0.5) == pytest.approx(0.5, abs=0.01)
    assert found.pgr(0.8) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    "score", [np.zeros(0), np.zeros(2), np.array([np.nan, 0.0, 1.0])], ids=["none", "few", "nan"]
)
def test_scores_that_cannot_be_ranked_are_refused(score):
    with pytest.raises(ValueError, match=r"must match|must be finite"):
        curve(score, np.zeros(3), np.ones(3))


def test_equal_quality_is_bought_by_mixing_two_points():
    costs, qualities = np.array([1.0, 3.0, 10.0]), np.array([0.5, 0.7, 0.8])

    assert cost_at_quality(costs, qualities, 0.6) == pytest.approx(2.0)
    assert cost_at_quality(costs, qualities, 0.5) == pytest.approx(1.0)
    assert np.isnan(cost_at_quality(costs, qualities, 0.9))


def test_the_interval_holds_a_difference_that_is_there():
    rng = np.random.default_rng(0)
    gaps = rng.normal(0.2, 1.0, size=2000)
    low, high = paired_bootstrap(lambda at: float(gaps[at].mean()), gaps.size)

    assert low < gaps.mean() < high
    assert 0.05 < high - low < 0.12
