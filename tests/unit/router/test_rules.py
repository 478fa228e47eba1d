"""Every policy does what it promises, on what was learned and on what was not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_svc.choice import best, cheapest_reaching, strong_from, utilities
from router_svc.explain import Reason
from router_svc.forecast import Forecast, Outlook, Tokens
from router_svc.policy import correlations, route
from router_svc.terms import Rule, Terms
from tests.unit.router.tiers import juror, limits, reading, tier

SMALL = tier("small", adequacy=0.5, usd=0.01)
LARGE = tier("large", adequacy=0.5, usd=0.1)


def learned(*, spread=0.05, **adequacy):
    models = {name: Outlook(p, spread, 500) for name, p in adequacy.items()}
    return Forecast("abc", models)


def routed(rule, forecast, *tiers, allowed=None, at=0.7, **terms):
    read = reading(forecast=forecast)
    return route(tiers or (SMALL, LARGE), read, allowed or limits(), Terms(at, rule, **terms))


def first(decision):
    return decision.tiers[0].name


@pytest.mark.parametrize(
    ("small", "expected", "reason"),
    [
        pytest.param(0.76, "small", Reason.CHEAPEST_ADEQUATE, id="surely reaches it"),
        pytest.param(0.74, "large", Reason.CHEAPEST_ADEQUATE, id="may reach it"),
    ],
)
def test_the_target_is_for_the_lower_bound(small, expected, reason):
    decision = routed(Rule.QUALITY_TARGET, learned(small=small, large=0.9))

    assert (expected, reason) == (first(decision), decision.reason)
    assert decision.rule is Rule.QUALITY_TARGET


def test_where_nobody_reaches_the_target_the_most_adequate_is_asked():
    decision = routed(Rule.QUALITY_TARGET, learned(small=0.6, large=0.65))

    assert ("large", Reason.MOST_ADEQUATE) == (first(decision), decision.reason)


def test_heuristics_know_nothing_that_was_learned():
    known = learned(small=0.1, large=0.99)
    told, guessed = (routed(Rule.HEURISTICS, known), routed(Rule.QUALITY_TARGET, Forecast()))

    assert first(told) == first(guessed) == "small"
    assert told.rule is guessed.rule is Rule.HEURISTICS
    assert told.tiers[0].adequacy == 0.5


@pytest.mark.parametrize(
    ("value_usd", "expected"), [(0.01, "small"), (10.0, "large")], ids=["little", "much"]
)
def test_utility_buys_what_the_value_of_an_answer_pays_for(value_usd, expected):
    decision = routed(Rule.UTILITY, learned(small=0.6, large=0.8), value_usd=value_usd)

    assert (expected, Reason.BEST_VALUE) == (first(decision), decision.reason)
    assert decision.price_of_money == pytest.approx(1.0 / value_usd)
    by_name = {c.name: c.utility for c in decision.candidates}
    assert by_name["large"] == pytest.approx(0.8 - 0.1 / value_usd)


def test_waiting_has_its_price():
    slow = tier("slow", adequacy=0.5, latency_s=30.0)
    fast = tier("fast", adequacy=0.5, latency_s=1.0)
    known = learned(slow=0.9, fast=0.85)

    patient = routed(Rule.UTILITY, known, slow, fast, value_usd=1.0)
    hasty = routed(Rule.UTILITY, known, slow, fast, value_usd=1.0, second_usd=0.01)
    assert ("slow", "fast") == (first(patient), first(hasty))


@pytest.mark.parametrize(("price", "expected"), [(0.1, "large"), (10.0, "small"), (None, "large")])
def test_a_budget_follows_the_price_that_it_is_told(price, expected):
    allowed = limits()
    told = type(allowed)(allowed.time_s, price_of_money=price)
    decision = routed(Rule.BUDGET, learned(small=0.6, large=0.8), allowed=told, value_usd=1.0)

    assert expected == first(decision)


def sharing(small, large, *, n=2_000, seed=0):
    """A forecast whose held-out predictions are drawn as this prompt's were."""
    rng = np.random.default_rng(seed)
    held_out = {"small": rng.uniform(0.3, 0.9, n), "large": rng.uniform(0.7, 0.95, n)}
    models = {"small": Outlook(small, 0.05, 500), "large": Outlook(large, 0.05, 500)}
    return Forecast("abc", models, held_out=held_out)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_strong_tier_gets_its_share_of_unseen_prompts(share):
    rng = np.random.default_rng(1)
    prompts = [(rng.uniform(0.3, 0.9), rng.uniform(0.7, 0.95)) for _ in range(2_000)]
    decisions = [routed(Rule.STRONG_SHARE, sharing(*each), share=share) for each in prompts]
    strong = [first(decision) == "large" for decision in decisions]

    assert np.mean(strong) == pytest.approx(share, abs=0.02)
    assert all((d.reason is Reason.STRONG) == s for d, s in zip(decisions, strong, strict=True))


def test_without_held_out_predictions_a_share_cannot_be_kept():
    decision = routed(Rule.STRONG_SHARE, learned(small=0.9, large=0.95), share=0.9)

    assert (Rule.QUALITY_TARGET, "small") == (decision.rule, first(decision))


def test_a_fixed_tier_is_asked_whatever_is_predicted():
    decision = routed(Rule.FIXED, learned(small=0.99, large=0.1), tier="large")

    assert ("large", Reason.FIXED, "small") == (
        first(decision),
        decision.reason,
        decision.runner_up,
    )


def test_a_novel_prompt_goes_where_the_configuration_says():
    known = Forecast("abc", learned(small=0.99, large=0.9).models, novel=True)

    assert "large" == first(routed(Rule.QUALITY_TARGET, known, novel_tier="large"))
    assert "small" == first(routed(Rule.QUALITY_TARGET, known))


def test_a_cold_model_goes_by_its_prior_and_reaches_no_target_easily():
    cold = Forecast(
        "abc", {"small": Outlook(0.5, 0.5, 0, cold=True), "large": Outlook(0.8, 0.05, 500)}
    )
    small = tier("small", adequacy=0.75, usd=0.01)
    decision = routed(Rule.QUALITY_TARGET, cold, small, LARGE)

    rated = {c.name: c.belief for c in decision.candidates}
    assert "large" == first(decision)
    assert rated["small"].value == pytest.approx(0.75)
    assert not rated["small"].calibrated


def test_costs_come_from_the_lengths_that_were_learned():
    models = {"small": Outlook(0.9, 0.01, 500, tokens=Tokens(50.0, 200.0))}
    (candidate,) = routed(Rule.QUALITY_TARGET, Forecast("abc", models), SMALL).candidates

    assert candidate.cost_usd == pytest.approx(round(Tokens(50.0, 200.0).mean) * 0.01 / 100)
    assert candidate.cost_p90_usd == pytest.approx(200 * 0.01 / 100)


def test_two_tiers_err_together_as_their_models_do():
    known = Forecast("abc", learned(small=0.9, large=0.95).models, {("small", "large"): 0.3})
    decision = routed(Rule.QUALITY_TARGET, known)

    assert {("small", "large"): 0.3} == correlations(decision, reading(forecast=known))


def test_jurors_who_err_together_are_worth_no_more_than_one():
    jury = tier("jury", juror("a"), juror("b"), juror("c"))
    models = {name: Outlook(0.8, 0.05, 500) for name in "abc"}
    pairs = [(x, y) for x in "abc" for y in "abc" if x != y]

    def adequacy(correlation):
        known = Forecast("abc", models, dict.fromkeys(pairs, correlation))
        return routed(Rule.QUALITY_TARGET, known, jury).tiers[0].adequacy

    assert adequacy(1.0) == pytest.approx(0.8)
    assert adequacy(0.0) == pytest.approx(0.896)


chances = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6)


@given(chances, st.floats(0, 1))
def test_nobody_cheaper_reaches_the_target(specs, target):
    adequacy, cost = np.array(specs).T
    at = cheapest_reaching(adequacy, adequacy, cost, np.zeros(len(specs)), target=target)
    reaching = adequacy >= target - 1e-9

    if reaching.any():
        assert reaching[at]
        assert cost[at] == cost[reaching].min()
    else:
        assert adequacy[at] == pytest.approx(adequacy.max())


@given(chances, st.floats(0, 100))
def test_nobody_is_worth_more_than_the_best(specs, price):
    adequacy, cost = np.array(specs).T
    worth = utilities(adequacy, cost, np.zeros(len(specs)), price_of_money=price)

    assert worth[best(worth, cost, np.zeros(len(specs)))] >= worth.max() - 1e-6


@given(st.floats(0.01, 0.99))
def test_a_dearer_dollar_never_buys_a_dearer_tier(price):
    adequacy, cost = np.array([0.5, 0.7, 0.8]), np.array([0.1, 0.5, 1.5])

    def bought(at):
        worth = utilities(adequacy, cost, np.zeros(3), price_of_money=at)
        return cost[best(worth, cost, np.zeros(3))]

    assert bought(price * 2.0) <= bought(price)


def test_no_share_at_all_needs_no_prompt_to_be_strong():
    assert strong_from(np.zeros(3), np.ones(3), share=0.0) == np.inf
