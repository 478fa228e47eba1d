"""A figure has an interval, says how much stands behind it, and is not told when that is too little."""

from dataclasses import astuple

import numpy as np
import pytest

from services.report.figures import (
    Sample,
    difference,
    estimate,
    mean,
    share,
    weighted_share,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="Newcombe 1998, 81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="Newcombe 1998, 15 of 148"),
        pytest.param(0, 20, 0.0, 0.1611, id="Newcombe 1998, none of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="Newcombe 1998, 1 of 29"),
        pytest.param(430, 474, 0.8777, 0.9301, id="430 of 474"),
    ],
)
def test_wilsons_interval_is_the_published_one(hits, n, low, high):
    assert [low, high] == pytest.approx(wilson(hits, n), abs=5e-5)


def test_a_share_of_too_few_is_not_told():
    found = share(20, 29)

    assert found.insufficient
    assert (29, 30) == (found.n, found.needed)


def test_a_share_of_enough_is():
    found = share(15, 30)

    assert 0.5 == found.value
    assert found.low < 0.5 < found.high


def test_the_share_of_nothing_is_not_told_however_few_are_needed():
    assert share(0, 0, needed=0).insufficient


def test_equal_weights_change_nothing():
    hits = np.arange(100) < 30

    assert astuple(share(30, 100)) == pytest.approx(
        astuple(weighted_share(hits, np.full(100, 4.0)))
    )


def test_observations_that_stand_for_many_count_for_many_and_widen_the_interval():
    hits = np.arange(100) < 50
    weights = np.where(hits, 9.0, 1.0)

    found = weighted_share(hits, weights)

    assert pytest.approx(0.9) == found.value
    assert found.high - found.low > share(90, 100).high - share(90, 100).low


def test_the_same_rows_give_the_same_interval():
    values = np.random.default_rng(1).random(50)

    assert mean(values) == mean(values)


def test_the_bootstrap_of_a_mean_covers_it_19_times_of_20():
    rng = np.random.default_rng(2)
    found = [mean(rng.random(60)) for _ in range(200)]

    assert 0.90 <= np.mean([each.low <= 0.5 <= each.high for each in found]) <= 0.98


def test_a_sum_is_a_mean_times_its_number():
    values = np.arange(40, dtype=float)

    assert pytest.approx(values.sum()) == mean(values, times=40.0).value


def test_paired_observations_stay_paired():
    first = np.random.default_rng(3).random(400) < 0.5
    second = first.copy()
    second[:4] = ~second[:4]

    found = difference(first, second)

    assert found.high - found.low < 0.03  # unpaired it would be 0.14 wide


def test_what_is_undefined_is_not_told():
    found = estimate(np.ones((50, 1)), lambda means: means[:, 0] / (1.0 - means[:, 0]))

    assert found.insufficient
    assert 50 == found.n


def test_many_different_rows_are_drawn_in_parts_and_give_the_same_as_at_once(monkeypatch):
    rows = np.random.default_rng(4).random(200)
    at_once = mean(rows)
    monkeypatch.setattr("services.report.figures._CHUNK", 2_000)

    assert astuple(at_once) == pytest.approx(astuple(mean(rows)))


def test_an_interval_holds_its_value_though_the_largest_of_two_drawn_means_is_larger():
    rows = np.tile(np.eye(2), (100, 1))

    found = estimate(rows, lambda means: means.max(axis=1) - means.mean(axis=1))

    assert found.low == found.value == 0.0
    assert found.high > 0.05


def test_means_of_many_rows_are_drawn_as_they_would_be_one_by_one(monkeypatch):
    rows = np.random.default_rng(5).exponential(size=(4_000, 2))

    def ratio(means):
        return means[:, 0] / means[:, 1]

    normal = estimate(rows, ratio)
    monkeypatch.setattr("services.report.figures.MANY", 10_000)
    drawn = estimate(rows, ratio)

    assert normal.value == drawn.value
    assert [drawn.low, drawn.high] == pytest.approx([normal.low, normal.high], abs=0.005)


def test_drawn_means_stay_within_the_rows():
    rows = np.where(np.arange(3_000) < 1, 1.0, np.random.default_rng(6).random(3_000) * 1e-9)

    assert mean(rows).low >= 0.0


def test_figures_of_one_sample_are_paired():
    rows = np.random.default_rng(7).random((100, 1))
    sample = Sample(rows)

    assert sample.figure(lambda means: means[:, 0]) == mean(rows[:, 0])
    assert 0.0 == sample.figure(lambda means: means[:, 0] - means[:, 0]).high
