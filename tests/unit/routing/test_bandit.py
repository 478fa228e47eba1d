"""Choices are corrected by what came of them; every draw has a probability that can be trusted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.bandit import DRAWS, Arm, Explore, chances, corrections
from services.routing.off_policy import Logged, value_of

RULES = list(Explore)
PREDICTED = np.array([0.7, 0.6, 0.6])
TRUE = np.array([0.5, 0.6, 0.8])


def played(explore, *, n=2_000, seed=0, forced=0.02, change_at=None):
    """Three models; what is predicted of them is wrong. Returns choices, chances, rewards."""
    rng = np.random.default_rng(seed)
    arms, always = [Arm.fresh(1) for _ in PREDICTED], np.ones((3, 1))
    taken, propensity, reward = np.zeros(n, np.intp), np.zeros(n), np.zeros(n)
    for nth in range(n):
        truth = TRUE if change_at is None or nth < change_at else TRUE[::-1]
        mean, spread = corrections(arms, always)
        chance = chances(explore, PREDICTED + mean, spread, forced=forced, rng=rng)
        at = rng.choice(3, p=chance)
        taken[nth], propensity[nth], reward[nth] = at, chance[at], rng.random() < truth[at]
        arms[at] = arms[at].after(always[at], reward[nth] - PREDICTED[at])
    return taken, propensity, reward


@pytest.mark.parametrize("explore", RULES)
def test_finds_the_best_model_although_another_was_predicted_to_be(explore):
    taken, _, reward = played(explore)

    assert (taken[500:] == 2).mean() > 0.9
    assert reward[500:].mean() > 0.74


@pytest.mark.parametrize("explore", RULES)
def test_follows_when_another_model_becomes_the_best(explore):
    taken, *_ = played(explore, n=4_000, change_at=1_000)

    assert (taken[3_000:] == 0).mean() > 0.7


@pytest.mark.parametrize("explore", RULES)
def test_its_log_tells_what_another_policy_would_be_worth(explore):
    """With one draw in five forced, so that a model it leaves alone can be judged."""
    taken, propensity, reward = played(explore, n=2_000, forced=0.2)
    told = np.tile(PREDICTED, (2_000, 1))

    for choice in range(3):
        policy = np.tile(np.eye(3)[choice], (2_000, 1))
        value = value_of(policy, Logged(taken, propensity, reward, told))

        assert value.mean == pytest.approx(TRUE[choice], abs=3.5 * value.standard_error)


@given(
    st.lists(st.tuples(st.floats(-2, 2), st.floats(0, 2)), min_size=1, max_size=6),
    st.sampled_from(RULES),
    st.floats(0.0, 1.0),
    st.integers(0, 2**32 - 1),
)
def test_chances_add_up_and_leave_none_out(told, explore, forced, seed):
    worth, spread = np.array(told).T

    found = chances(explore, worth, spread, forced=forced, rng=np.random.default_rng(seed))

    assert found.sum() == pytest.approx(1.0)
    assert (found >= forced / len(told) - 1e-12).all()


@pytest.mark.parametrize("explore", RULES)
def test_what_is_certain_and_best_is_drawn_always_when_nothing_is_forced(explore):
    worth, spread = np.array([0.3, 0.9, 0.5]), np.zeros(3)

    found = chances(explore, worth, spread, forced=0.0, rng=np.random.default_rng(0))

    assert [0.0, 1.0, 0.0] == found.tolist()


def test_thompson_draws_each_as_often_as_it_may_be_the_best():
    """Of two normal beliefs .2 apart with deviation .1 each, the lesser wins with 7.9 %."""
    found = np.mean(
        [
            chances(
                Explore.THOMPSON,
                np.array([0.5, 0.7]),
                np.array([0.2, 0.2]),
                forced=0.0,
                rng=np.random.default_rng(seed),
            )
            for seed in range(40)
        ],
        axis=0,
    )

    assert found[0] == pytest.approx(0.0786, abs=4 * np.sqrt(0.0786 / (40 * DRAWS)))


@given(st.lists(st.floats(-1, 1), max_size=60), st.integers(0, 2**32 - 1))
def test_more_outcomes_never_make_a_fresh_arm_less_certain(surprises, seed):
    rng = np.random.default_rng(seed)
    arm, here = Arm.fresh(3), np.array([1.0, 0.5, -0.5])
    for surprise in surprises:
        arm = arm.after(rng.uniform(-1, 1, 3), surprise)

    _, (spread, before) = corrections([arm, Arm.fresh(3)], np.stack([here, here]))
    assert spread <= before + 1e-9


def test_corrects_only_in_contexts_like_those_it_saw():
    arm, easy, hard = Arm.fresh(2), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    for _ in range(200):
        arm = arm.after(hard, -0.4)

    (of_easy, of_hard), _ = corrections([arm, arm], np.stack([easy, hard]))
    assert of_easy == 0.0
    assert of_hard == pytest.approx(-0.4, abs=0.02)


@pytest.mark.parametrize("forced", [-0.1, 1.1, np.nan])
def test_rejects_what_is_no_probability(forced):
    with pytest.raises(ValueError, match="forced"):
        chances(Explore.LINUCB, np.ones(2), np.ones(2), forced=forced, rng=np.random.default_rng(0))


def test_rejects_what_is_no_number():
    with pytest.raises(ValueError, match="finite"):
        Arm.fresh(1).after(np.array([np.nan]), 0.5)
