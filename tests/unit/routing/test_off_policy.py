"""A policy's worth is told from another one's log, with its error, or not at all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.off_policy import Logged, NoSupportError, effective, value_of

BEST = np.array([0.5, 0.6, 0.8])


def world(n, seed, *, rate=0.3, predicted=None, propensities=None):
    """Three models; the log takes the first but for some exploration. Returns the truth, too."""
    rng = np.random.default_rng(seed)
    truth = np.clip(BEST + rng.normal(0.0, 0.1, (n, 1)), 0.02, 0.98)
    chances = np.array([1.0 - rate + rate / 3, rate / 3, rate / 3])
    taken = rng.choice(3, size=n, p=chances)
    reward = (rng.random(n) < truth[np.arange(n), taken]).astype(float)
    told = truth if predicted is None else np.full((n, 3), predicted)
    claimed = chances[taken] if propensities is None else np.full(n, propensities)
    return Logged(taken, claimed, reward, told), truth


def always(choice, n):
    return np.tile(np.eye(3)[choice], (n, 1))


@pytest.mark.parametrize("predicted", [None, 0.1, 0.9], ids=["right", "low", "high"])
def test_is_unbiased_whatever_is_predicted_and_its_error_is_honest(predicted):
    """Over 200 logs: 95 % intervals hold the truth about as often."""
    found, held = [], 0
    for seed in range(200):
        logged, truth = world(1_500, seed, predicted=predicted)
        value = value_of(always(2, 1_500), logged)
        found.append(value.mean - truth[:, 2].mean())
        held += abs(found[-1]) <= 1.96 * value.standard_error

    assert np.mean(found) == pytest.approx(0.0, abs=4 * np.std(found) / np.sqrt(200))
    assert 180 <= held <= 199


def test_right_predictions_mend_wrong_propensities():
    logged, truth = world(4_000, 0)
    claimed = logged.propensity * np.random.default_rng(1).uniform(0.8, 1.25, 4_000)
    logged = replace(logged, propensity=np.minimum(1.0, claimed))

    value = value_of(always(2, 4_000), logged)

    assert value.mean == pytest.approx(truth[:, 2].mean(), abs=3 * value.standard_error)


def test_good_predictions_make_it_more_certain():
    good, bad = (value_of(always(2, 2_000), world(2_000, 3, predicted=p)[0]) for p in (None, 0.05))

    assert good.standard_error < 0.7 * bad.standard_error


def test_tells_the_gain_over_what_was_done():
    logged, truth = world(3_000, 5)

    value = value_of(always(2, 3_000), logged)

    gained = truth[:, 2].mean() - logged.reward.mean()
    assert value.gain == pytest.approx(gained, abs=3 * value.gain_error)
    assert value.gain > 4 * value.gain_error


def test_the_logged_policy_itself_is_worth_what_it_got():
    """Every weight is 1, so that predictions drop out where they are the same for all choices."""
    logged, _ = world(500, 6, predicted=0.4)
    chances = np.tile([0.8, 0.1, 0.1], (500, 1))

    value = value_of(chances, logged)

    assert value.mean == pytest.approx(logged.reward.mean())
    assert value.gain == pytest.approx(0.0)
    assert value.n_effective == pytest.approx(500.0)


def test_cuts_large_weights_and_says_of_how_many():
    logged, truth = world(8_000, 7, rate=0.06)

    value = value_of(always(2, 8_000), logged)

    assert value.cut == pytest.approx(0.02, abs=0.006)
    assert value.mean == pytest.approx(truth[:, 2].mean(), abs=0.05)


@pytest.mark.parametrize("choice", [1, 2])
def test_refuses_where_nothing_was_explored(choice):
    n = 1_000
    logged = Logged(np.zeros(n, np.intp), np.ones(n), np.ones(n), np.full((n, 3), 0.9))

    with pytest.raises(NoSupportError, match=r"0\.0 of the policy's own; 50 are needed"):
        value_of(always(choice, n), logged)


def test_refuses_where_a_part_of_the_choices_was_never_made():
    """One prompt in five would go to a model that was never asked."""
    n = 1_000
    logged = Logged(np.zeros(n, np.intp), np.ones(n), np.ones(n), np.full((n, 3), 0.9))
    policy = np.where(np.arange(n)[:, np.newaxis] % 5 == 0, np.eye(3)[2], np.eye(3)[0])

    with pytest.raises(NoSupportError, match=r"mean weight is 0\.800.*choices \[2\] were never"):
        value_of(policy, logged)


def test_refuses_on_few_decisions():
    logged, _ = world(200, 8)

    with pytest.raises(NoSupportError, match="50 are needed"):
        value_of(always(2, 200), logged)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"propensity": np.zeros(100)}, "propensities must be"),
        ({"propensity": np.ones(99)}, "as many"),
        ({"taken": np.full(100, 3)}, "choices must be in"),
        ({"reward": np.full(100, np.nan)}, "must be finite"),
        ({"predicted": np.ones((100, 2))}, "differ in shape"),
    ],
)
def test_rejects_what_is_no_log(change, why):
    logged, _ = world(100, 9)

    with pytest.raises(ValueError, match=why):
        value_of(always(0, 100), replace(logged, **change))


def test_rejects_a_policy_that_does_not_add_up():
    with pytest.raises(ValueError, match="add up to 1"):
        value_of(np.full((100, 3), 0.5), world(100, 9)[0])


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=50))
def test_no_more_decisions_count_than_there_are(weights):
    assert 0.0 <= effective(np.array(weights)) <= len(weights) + 1e-6
