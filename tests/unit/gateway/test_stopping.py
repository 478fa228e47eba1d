"""A jury is told by what the aggregator will count, and only where ballots count."""

import pytest

from gremium.v1 import aggregator_pb2, jury_pb2
from services.config.ensembles import Aggregate
from services.config.stop import Stop
from services.gateway.stopping import stop_terms

WEIGHTS = [aggregator_pb2.JurorWeight(juror="a", weight=2.0, prior=0.7)]


def test_stops_without_loss_unless_told_otherwise():
    told = stop_terms(Stop(), Aggregate(min_share=0.4), WEIGHTS)

    assert (jury_pb2.STOP_RULE_UNCATCHABLE, 0.4, False) == (told.rule, told.min_share, told.letters)
    assert WEIGHTS == list(told.weights)
    assert not told.HasField("fitted")


def test_what_the_leader_will_need_is_told():
    told = stop_terms(Stop(), Aggregate(min_confidence=0.9), WEIGHTS)

    assert 0.9 == told.min_confidence


def test_what_abstaining_counts_is_told():
    assert 0.4 == stop_terms(Stop(), Aggregate(abstain_weight=0.4), WEIGHTS).abstain_weight


def test_what_a_rule_takes_is_told():
    told = stop_terms(
        Stop(rule="posterior", gamma=0.9, k=2, tau=0.8),
        Aggregate(),
        WEIGHTS,
        aggregator_pb2.FittedVote(none_score=1.5),
    )

    assert jury_pb2.STOP_RULE_POSTERIOR == told.rule
    assert (0.9, 2, 0.8, 1.5) == (told.gamma, told.agree, told.tau, told.fitted.none_score)


def test_text_has_ballots_where_it_is_compared_by_its_letters():
    assert stop_terms(Stop(), Aggregate(method="plurality"), []).letters


@pytest.mark.parametrize("method", ["semantic_mean", "medoid", "weighted", "log_odds", "fieldwise"])
def test_methods_that_decide_later_leave_it_to_quorum_and_grace(method):
    assert stop_terms(Stop(), Aggregate(method=method), WEIGHTS) is None


def test_quorum_alone_may_be_asked_for():
    assert stop_terms(Stop(rule="quorum"), Aggregate(), WEIGHTS) is None
