"""The better head weighs more, and the map to probabilities is Platt's."""

import numpy as np
import pytest

from services.routing.blending import head_weights, platt_of


def outcomes(x, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random(x.size) < 1.0 / (1.0 + np.exp(-x))).astype(float)


def test_the_head_with_the_smaller_loss_weighs_more():
    x = 2.0 * np.random.default_rng(1).standard_normal(3000)
    found = head_weights(np.stack([x, np.zeros(3000), -x], axis=1), outcomes(x))

    assert found[0] > found[1] > found[2]
    assert 1.0 == pytest.approx(found.sum())


def test_a_head_that_is_too_sure_is_held_back():
    x = np.random.default_rng(1).standard_normal(4000)
    slope, offset = platt_of(3.0 * x, outcomes(x))

    assert slope == pytest.approx(1 / 3, abs=0.05)
    assert offset == pytest.approx(0.0, abs=0.1)


def test_a_head_that_is_wrong_all_the_time_counts_for_nothing():
    x = np.random.default_rng(1).standard_normal(2000)
    slope, _ = platt_of(x, outcomes(-3.0 * x))

    assert 0.0 == slope
