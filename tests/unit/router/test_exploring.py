"""Tiers are tried with a propensity that is told, never where the risk is high, and off by default."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gremium.v1 import router_pb2
from router_svc.explain import Reason
from router_svc.policy import route
from router_svc.terms import Exploring, Rule, Terms
from router_svc.wire import decision_to_wire, limits_from_wire
from services.core.errors import InvalidRequestError
from services.routing.bandit import Arm, Explore
from tests.unit.router.tiers import limits, reading, tier

TIERS = [tier("weak", adequacy=0.5), tier("strong", adequacy=0.8, usd=0.001)]
CONTEXT = np.array([1.0, 0.25, 0.0])


def terms(rule=Explore.LINUCB, *, forced=0.02):
    return Terms(0.7, Rule.UTILITY, value_usd=0.01, explore=Exploring(rule, forced))


def drawn(given, *, n=400, **allowed):
    allowed = replace(limits(), **allowed)
    return [route(TIERS, reading(), replace(allowed, seed=seed), given) for seed in range(n)]


def known(surprise, rounds=300):
    arm = Arm.fresh(3)
    for _ in range(rounds):
        arm = arm.after(CONTEXT, surprise)
    return arm


def test_is_off_by_default():
    decision = route(TIERS, reading(), limits(), Terms(0.7, Rule.UTILITY))

    assert decision.draw is None


@pytest.mark.parametrize("rule", Explore)
def test_draws_each_tier_as_often_as_it_says(rule):
    decisions = drawn(terms(rule, forced=0.4), experience={"strong": known(-0.3)})

    by_name = {d.tiers[0].name: d.draw.propensity for d in decisions}
    counted = Counter(d.tiers[0].name for d in decisions)
    assert {"weak", "strong"} == set(by_name)
    if rule is Explore.LINUCB:
        assert sum(by_name.values()) == pytest.approx(1.0)
        assert counted["weak"] / 400 == pytest.approx(by_name["weak"], abs=0.08)


@pytest.mark.parametrize("rule", Explore)
def test_tries_nothing_where_the_risk_is_high(rule):
    decisions = drawn(terms(rule, forced=1.0), n=50, high_risk=True)

    assert {"strong"} == {d.tiers[0].name for d in decisions}
    assert {(1.0, False)} == {(d.draw.propensity, d.draw.explored) for d in decisions}


def test_goes_by_what_came_of_a_tier_even_where_nothing_is_tried():
    (decision,) = drawn(terms(), n=1, high_risk=True, experience={"strong": known(-0.6)})

    assert "weak" == decision.tiers[0].name
    assert Reason.BEST_VALUE is decision.reason


def test_says_when_another_tier_is_thought_to_be_worth_more():
    decisions = drawn(
        terms(forced=1.0), n=50, experience={"weak": known(0.0), "strong": known(0.0)}
    )

    told = {(d.tiers[0].name, d.draw.explored, d.reason) for d in decisions}
    assert {("weak", True, Reason.EXPLORED), ("strong", False, Reason.BEST_VALUE)} == told


def test_the_same_request_gets_the_same_tier():
    request = router_pb2.RouteRequest(request_id="one")
    allowed = [limits_from_wire(request, min_on_time=0.5) for _ in range(2)]

    one, other = (route(TIERS, reading(), each, terms(forced=1.0)) for each in allowed)
    assert one.tiers[0].name == other.tiers[0].name
    assert len({limits_from_wire(router_pb2.RouteRequest(request_id=str(n)), min_on_time=0.5).seed
                for n in range(20)}) == 20  # fmt: skip


def test_a_decision_tells_propensity_and_context():
    (decision,) = drawn(terms(forced=0.5), n=1)

    told = decision_to_wire(decision, reading())
    assert told.propensity == pytest.approx(0.75)
    assert told.context[:2] == [1.0, 0.25]
    assert told.context[2] == pytest.approx(2.0 * decision.tiers[0].adequacy - 1.0)


def experience(precision, moment):
    each = router_pb2.Experience(tier="weak", precision=precision, moment=moment)
    return router_pb2.RouteRequest(experience=[each])


def test_takes_what_the_gateway_remembers():
    arm = known(0.2, rounds=3)
    request = experience(arm.precision.ravel().tolist(), arm.moment.tolist())

    read = limits_from_wire(request, min_on_time=0.5).experience["weak"]
    assert np.array_equal(arm.precision, read.precision)
    assert np.array_equal(arm.moment, read.moment)


@pytest.mark.parametrize(
    ("precision", "moment", "why"),
    [
        ([1.0], [1.0], "has 1 and 1 numbers; 9 and 3 are due"),
        ([0.0] * 9, [0.0] * 3, "not positive definite"),
        ([1.0, 9.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [0.0] * 3, "not positive definite"),
    ],
)
def test_refuses_what_cannot_be_remembered(precision, moment, why):
    with pytest.raises(InvalidRequestError, match=why):
        limits_from_wire(experience(precision, moment), min_on_time=0.5)
