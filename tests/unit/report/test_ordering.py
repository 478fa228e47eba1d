"""An area under the curve is the chance that what is right was rated higher, with DeLong's interval."""

import numpy as np
import pytest

from services.report.ordering import areas


def drawn(n, *, apart=1.0, seed=0):
    rng = np.random.default_rng(seed)
    good = rng.random(n) < 0.4
    return rng.standard_normal(n) + apart * good, rng.standard_normal(n), good, rng


def by_hand(score, good, weights):
    pairs = np.outer(weights[good], weights[~good])
    above = score[good][:, None] - score[~good][None, :]
    return float((pairs * (0.5 * (above == 0) + (above > 0))).sum() / pairs.sum())


@pytest.mark.parametrize("digits", [9, 0], ids=["apart", "tied"])
def test_it_counts_pairs_and_half_of_those_that_tie(digits):
    one, other, good, rng = drawn(200)
    one, weights = one.round(digits), rng.integers(1, 5, size=200).astype(float)

    first, second, gain = areas((one, other), good, weights)

    assert by_hand(one, good, weights) == pytest.approx(first.value)
    assert by_hand(other, good, weights) == pytest.approx(second.value)
    assert first.value - second.value == pytest.approx(gain.value)


def test_equal_weights_change_nothing():
    one, other, good, _ = drawn(100)

    once = areas((one, other), good, np.ones(100))
    twice = areas((one, other), good, np.full(100, 7.0))

    assert [each.low for each in once] == pytest.approx([each.low for each in twice])


def test_the_interval_is_as_wide_as_areas_of_other_samples_are_apart():
    found = [
        areas(drawn(150, seed=seed)[:2], drawn(150, seed=seed)[2], np.ones(150))
        for seed in range(150)
    ]
    true = 0.7602  # of two normals one deviation apart

    assert 0.90 <= np.mean([first.low <= true <= first.high for first, _, _ in found]) <= 0.99
    assert 0.90 <= np.mean([gain.low <= true - 0.5 <= gain.high for _, _, gain in found]) <= 0.99


def test_a_perfect_order_has_an_interval_all_the_same():
    good = np.arange(60) < 20

    first, _, _ = areas((good * 1.0, good * 0.0), good, np.ones(60))

    assert 1.0 == first.value == first.high
    assert 0.8 < first.low < 0.9


@pytest.mark.parametrize("good", [0, 4, 60])
def test_of_one_kind_nothing_is_told(good):
    marks, score = np.arange(60) < good, np.arange(60.0)

    assert all(each.insufficient for each in areas((score, score), marks, np.ones(60)))


def test_of_few_nothing_is_told():
    marks, score = np.arange(29) < 15, np.arange(29.0)

    first, _, _ = areas((score, score), marks, np.ones(29))

    assert first.insufficient
    assert 29 == first.n
