"""Whatever a calibration holds within its limits, what comes out are probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator_svc.logit import Fitted, fitted_vote
from gremium.v1 import aggregator_pb2
from tests.unit.aggregator.serving import LABELS, aggregate, answers

MOST = 1e6
NAN = float("nan")
ANY = st.floats(-MOST, MOST)
BALLOTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, MOST), ANY, ANY, st.floats(0, 1) | st.just(NAN)),
    min_size=1,
    max_size=6,
)
COVARIANCE = st.tuples(ANY, ANY, ANY)


def count(ballots, none, slope, offset, covariance=(0.0, 0.0, 0.0)):
    keys, weights, alone, abstaining, priors = zip(*ballots, strict=True)
    fit = Fitted(
        none, 0.0, "a", np.array(alone), np.array(abstaining), None, slope, offset, covariance
    )
    return fitted_vote(
        keys, np.array(weights), np.array(priors), [0] * len(keys), fit, min_share=0.5
    )


@given(BALLOTS, ANY, ANY, ANY, COVARIANCE)
def test_probabilities_are_some(ballots, none, slope, offset, covariance):
    found = count(ballots, none, slope, offset, covariance)

    every = [found.p_none, *(each.p_correct for each in found.classes)]
    assert pytest.approx(1.0) == sum(every)
    assert all(0.0 <= p <= 1.0 for p in every)
    assert pytest.approx(1.0) == sum(each.share for each in found.classes)
    assert 0.0 <= found.interval[0] <= found.leader.p_correct <= found.interval[1] <= 1.0


def test_classes_have_their_shares_however_likely_it_is_that_none_is_right():
    found = count([("b", 2.0, 0.0, 0.0, NAN), ("c", 1.0, 0.0, 0.0, NAN)], 1000.0, 1.0, 0.0)

    assert 0.7310586 == pytest.approx(found.leader.share)
    assert pytest.approx(1.0) == found.p_none


@pytest.mark.parametrize(("third", "leader"), [("b", "b"), ("d", "c")])
def test_what_counts_where_no_two_agree_counts_nowhere_else(third, leader):
    ballots = [("b", 1.0, 0.0, 0.0, NAN), ("c", 1.0, 5.0, 0.0, NAN), (third, 1.0, 0.0, 0.0, NAN)]

    assert leader == count(ballots, 0.0, 1.0, 0.0).leader.key


async def test_of_a_certain_leader_the_others_have_what_its_interval_leaves(servicer):
    weights = [aggregator_pb2.JurorWeight(juror="j0", weight=30)]
    known = aggregator_pb2.FittedVote(
        slope=2.0, covariance=[0.01, 0.0, 0.01], n_labels=200, calibration_id="c0ffee"
    )

    reply = await aggregate(servicer, answers("A", "B"), LABELS, weights=weights, fitted=known)

    leader, other = (each.p_correct for each in reply.tally.classes)
    assert 1.0 == leader.value
    assert 0.0 == other.low == other.value
    assert pytest.approx(1.0 - leader.low) == other.high
