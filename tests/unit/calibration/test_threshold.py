"""A promised risk is kept, by exact bounds, and nothing is promised that was not shown."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from services.calibration.threshold import fewest, promised, upper_bound

SURE = np.linspace(1.0, 0.0, 101)


def told(right, sure=SURE, *, alpha=0.2, delta=0.1):
    return promised(np.asarray(sure), np.asarray(right, dtype=bool), alpha=alpha, delta=delta)


@given(st.integers(1, 400), st.integers(0, 400), st.floats(0.01, 0.5))
def test_so_few_errors_are_as_rare_at_the_bound_as_is_allowed(n, errors, delta):
    bound = upper_bound(errors, n, delta)

    assert pytest.approx(delta if errors < n else 1.0) == binom.cdf(errors, n, bound)


@pytest.mark.parametrize(("n", "delta"), [(1, 0.1), (22, 0.1), (1000, 0.05)])
def test_the_bound_without_an_error_is_the_closed_form(n, delta):
    assert upper_bound(0, n, delta) == pytest.approx(1.0 - delta ** (1.0 / n))


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_one_answer_fewer_could_not_pass(alpha):
    n = fewest(alpha, 0.1)

    assert upper_bound(0, n, 0.1) <= alpha < upper_bound(0, n - 1, 0.1)


def test_accepts_what_its_bound_allows():
    found = told(SURE > 0.5)

    assert upper_bound(found.n - 50, found.n, 0.1) == found.ucb <= 0.2
    assert found.coverage == found.n / 101


def test_promises_nothing_of_answers_that_are_wrong():
    found = told(np.zeros(101))

    assert (None, 0, 1.0) == (found.value, found.n, found.ucb)


def test_promises_nothing_of_too_few_answers():
    assert told(np.ones(10), np.ones(10)).value is None
    assert told(np.ones(11), np.ones(11)).value == 1.0


def test_stops_at_the_first_level_that_fails():
    """The loose answers are right again, which must not bring the bad middle back."""
    right = (SURE > 0.6) | (SURE < 0.45)
    found = told(right, alpha=0.2)

    assert found.value > 0.5
    assert told(np.append(right, np.ones(900)), np.append(SURE, np.zeros(900))).value > 0.5


def test_equal_confidences_are_accepted_together():
    found = told([1] * 30 + [0] * 70, [0.9] * 100)

    assert found.value is None


def test_a_confidence_that_is_nan_counts_as_not_accepted():
    found = told(np.ones(101), np.where(SURE < 0.5, math.nan, SURE))

    assert found.coverage <= 51 / 101


@pytest.mark.parametrize(("alpha", "delta"), [(0.0, 0.1), (1.0, 0.1), (0.1, 0.0), (0.1, 1.0)])
def test_refuses_a_promise_outside_its_limits(alpha, delta):
    with pytest.raises(ValueError, match="must be in"):
        told(np.ones(101), alpha=alpha, delta=delta)


def test_keeps_the_promise_as_often_as_it_says():
    """The risk of the accepted is known here: 1 - p above the threshold."""
    rng, broken = np.random.default_rng(7), 0
    for _ in range(100):
        sure = rng.random(200)
        found = told(rng.random(200) < sure, sure, alpha=0.3, delta=0.1)
        broken += found.value is not None and (1.0 - found.value) / 2.0 > 0.3

    assert broken <= 18
