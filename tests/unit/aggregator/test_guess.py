"""A guess of how likely a leader is right is a probability, and never a certainty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator_svc.guess import guessed
from aggregator_svc.voting import fallen_back, plurality

NAN = float("nan")
BALLOTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 1e6), st.floats(0, 1) | st.just(NAN)), min_size=1
)


def told(ballots, *, gated=False):
    keys, weights, priors = zip(*ballots, strict=True)
    count = plurality(keys, np.array(weights), np.array(priors), [0] * len(keys), min_share=0.5)
    return guessed(fallen_back(count, "gate") if gated else count, np.array(priors))


@given(BALLOTS, st.booleans())
def test_its_interval_holds_it_and_has_some_width(ballots, gated):
    found = told(ballots, gated=gated)

    low, high = found.interval
    assert 0.0 <= low <= found.leader.p_correct <= high <= 1.0
    assert high - low > 0.01
    assert 0.0 <= found.p_none <= 1.0 - found.leader.p_correct


def test_a_juror_said_to_be_always_right_is_not_certain():
    found = told([("a", 1.0, 1.0), ("b", 0.0, 0.5)], gated=True)

    assert 1.0 == found.leader.p_correct == found.interval[1]
    assert 0.5 < found.interval[0] < 0.6


def test_three_that_agree_are_weak_evidence():
    found = told([("a", 1.0, NAN)] * 3)

    assert (0.8, pytest.approx((0.44, 0.95), abs=0.005)) == (found.leader.p_correct, found.interval)


def test_more_that_agree_are_more_evidence():
    few, many = (told([("a", 1.0, NAN)] * n).interval for n in (2, 20))

    assert many[1] - many[0] < few[1] - few[0]
