"""What is known of a model's latency becomes a probability to answer in time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_svc.forecast import Tokens
from router_svc.latency import Latency

seconds = st.floats(0.01, 600.0)


@pytest.mark.parametrize(("time_s", "chance"), [(2.0, 0.5), (9.0, 0.95), (0.0, 0.0)])
def test_meets_its_quantiles(time_s, chance):
    assert Latency(2.0, 9.0).on_time(time_s) == pytest.approx(chance)


def test_is_the_share_of_answers_that_come_in_time():
    rng = np.random.default_rng(0)
    drawn = np.exp(rng.normal(math.log(3.0), 0.7, 200_000))
    p50, p95 = np.quantile(drawn, [0.5, 0.95])

    assert Latency(p50, p95).on_time(6.0) == pytest.approx((drawn <= 6.0).mean(), abs=5e-3)


@given(seconds, st.floats(1.0, 20.0), seconds, seconds)
def test_more_time_never_hurts(p50, ratio, one, two):
    latency, (less, more) = Latency(p50, p50 * ratio), sorted((one, two))

    assert 0.0 <= latency.on_time(less) <= latency.on_time(more) <= 1.0


@pytest.mark.parametrize(("time_s", "chance"), [(1.9, 0.0), (2.0, 1.0), (math.inf, 1.0)])
def test_a_median_alone_says_yes_or_no(time_s, chance):
    assert Latency(2.0).on_time(time_s) == chance


def test_the_expected_length_lies_between_the_quantiles():
    rng = np.random.default_rng(0)
    drawn = np.exp(rng.normal(5.0, 0.8, 400_000))
    p50, p90 = np.quantile(drawn, [0.5, 0.9])

    assert Tokens(p50, p90).mean == pytest.approx(drawn.mean(), rel=0.02)
