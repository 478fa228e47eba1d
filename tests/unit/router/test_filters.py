"""Hard filters come before every policy, and each says in words what is wrong."""

import pytest

from router_svc.eligibility import seated
from router_svc.forecast import Forecast, Outlook, Tokens
from router_svc.latency import Latency
from router_svc.policy import route
from router_svc.profiles import Filter, Limits, ModelNow, Objection
from router_svc.terms import Rule, Terms
from services.core.errors import NoEligibleTierError
from services.core.lease import Lease
from tests.unit.router.tiers import demand, juror, limits, reading, tier

BARRED = Objection("a", Filter.REGION, "it is served in us; eu is allowed")
LONG = Forecast("x", {"a": Outlook(0.9, 0.1, 100, tokens=Tokens(100.0, 900.0))})


def filters(one, wanted=None, allowed=None, forecast=None):
    seating = seated(tier("t", one), wanted or demand(), allowed or limits(), forecast or LONG)
    return [(objection.filter, objection.text) for objection in seating.objections]


def now(**models):
    return Limits(10.0, models=models)


@pytest.mark.parametrize(
    ("one", "wanted", "allowed", "expected"),
    [
        pytest.param(
            juror(schemas=False),
            demand(schema=True),
            limits(),
            (Filter.SCHEMA, "it cannot be held to a JSON Schema"),
            id="schema",
        ),
        pytest.param(
            juror(model="m"),
            demand(),
            now(m=ModelNow(is_open=True)),
            (Filter.BREAKER, "m is left alone because it fails"),
            id="breaker",
        ),
        pytest.param(
            juror(barred=BARRED), demand(), limits(), (Filter.REGION, BARRED.text), id="region"
        ),
        pytest.param(
            juror(usd=0.02, max_answer_usd=0.01),
            demand(output_tokens=100),
            limits(),
            (Filter.PRICE_CAP, "it is expected to cost 0.087000 USD; 0.01 USD is allowed"),
            id="price cap",
        ),
        pytest.param(
            juror(latency_s=None),
            demand(),
            now(a=ModelNow(latency=Latency(20.0, 40.0))),
            (Filter.LATENCY, "it usually takes 20.0 s; 10.0 s are left, which it keeps with 5%"),
            id="seldom in time",
        ),
    ],
)
def test_leaves_out(one, wanted, allowed, expected):
    assert [expected] == filters(one, wanted, allowed)


def test_what_is_measured_counts_more_than_what_is_configured():
    late = juror(latency_s=60.0)

    assert [] == filters(late, allowed=now(a=ModelNow(latency=Latency(1.0, 2.0))))


def test_the_dear_end_of_its_cost_must_fit_the_budget():
    one = juror(usd=0.01)
    (objection,) = filters(one, allowed=Limits(10.0, Lease(cost_usd=0.08)))

    assert Filter.COST is objection[0]
    assert "expected to cost 0.090000 USD; 0.080000 USD are left" in objection[1]
    assert [] == filters(one, allowed=Limits(10.0, Lease(cost_usd=0.091)))


@pytest.mark.parametrize("rule", list(Rule))
def test_no_policy_asks_who_is_filtered(rule):
    terms = Terms(0.5, rule, share=0.5, tier="down", novel_tier="down")
    tiers = tier("down", adequacy=0.9), tier("up", adequacy=0.2)
    decision = route(tiers, reading(), now(down=ModelNow(is_open=True)), terms)

    assert ["up"] == [option.name for option in decision.tiers]
    assert [(Filter.BREAKER,), ()] == [c.filtered for c in decision.candidates]


def test_when_all_are_filtered_each_reason_is_named():
    tiers = tier("one", juror("a", barred=BARRED)), tier("two", juror("b", tools=False))
    with pytest.raises(NoEligibleTierError) as caught:
        route(tiers, reading(tools=True), limits(), Terms(0.5))

    assert "one/a REGION: it is served in us; eu is allowed" in str(caught.value)
    assert "two/b TOOLS: it calls no tools" in str(caught.value)
