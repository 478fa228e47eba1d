"""Who does a part is who is most likely to do it well, and what it takes is told."""

import math

import pytest

from router_svc.complexity import complexity_of
from router_svc.demand import demand_of
from router_svc.domain import NO_MATCH
from router_svc.explain import Reading
from router_svc.profiles import JurorProfile, Limits, TierProfile
from router_svc.staff import SEARCH, USUAL_S, Doer, best, prospect
from services.core.prompts import Message, Prompt

ANY = Limits(math.inf)


def tier(name, adequacy, *, usd=0.0, latency_s=2.0):
    return TierProfile(name, (JurorProfile(name, adequacy, latency_s, 8000, 500, usd, usd),))


def reading(text="Name a city."):
    prompt = Prompt((Message("user", (text,)),))
    complexity = complexity_of(prompt)
    return Reading(demand_of(prompt, complexity=complexity.score), complexity, NO_MATCH)


def expected(*tiers, **more):
    return prospect(Doer("d", tiers, **more), reading(), ANY)


def test_a_cascade_is_as_good_as_its_best_tier_and_costs_as_its_first():
    found = expected(tier("cheap", 0.5, usd=1.0), tier("dear", 0.9, usd=100.0))

    assert expected(tier("dear", 0.9)).adequacy == found.adequacy
    assert (expected(tier("cheap", 0.5, usd=1.0)).usd, 1) == (found.usd, found.calls)


def test_a_graph_needs_all_its_steps():
    found = expected(tier("a", 0.8), tier("b", 0.9), needs_all=True)

    both = expected(tier("a", 0.8)).adequacy * expected(tier("b", 0.9)).adequacy
    assert (pytest.approx(both), 4.0, 2) == (found.adequacy, found.seconds, found.calls)


def test_what_is_read_beside_the_task_is_paid_too():
    doer = Doer("d", (tier("a", 0.9, usd=2.0),))

    alone, more = (prospect(doer, reading(), ANY, more_tokens=n) for n in (0, 1000))

    assert pytest.approx(alone.usd + 0.002) == more.usd
    assert alone.tokens + 1000 == more.tokens


def test_an_unknown_latency_is_a_usual_one():
    assert USUAL_S == expected(tier("a", 0.9, latency_s=None)).seconds


def test_a_search_asks_no_model():
    assert SEARCH == expected()


def test_a_harder_task_is_less_likely_done_well():
    doer = Doer("d", (tier("a", 0.9),))
    hard = reading("Prove step by step that sqrt(2) is irrational, and derive each lemma.")

    assert prospect(doer, hard, ANY).adequacy < prospect(doer, reading(), ANY).adequacy


def test_the_most_adequate_does_it_and_of_equals_the_cheapest():
    roles = {
        "search": Doer("docs"),
        "weak": Doer("w", (tier("w", 0.5),)),
        "dear": Doer("x", (tier("x", 0.9, usd=9.0),)),
        "fair": Doer("y", (tier("y", 0.9, usd=1.0),)),
    }

    assert "fair" == best(roles, reading(), ANY)
