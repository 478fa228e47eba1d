"""A cascade starts at the cheapest adequate tier, or the specialist, and only ever buys quality."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from router_svc.choice import TIE, cascade_order
from router_svc.explain import Reason
from router_svc.policy import convene, route
from router_svc.terms import Terms
from services.core.errors import BudgetSpentError, NoEligibleTierError
from tests.unit.router.tiers import juror, limits, reading, tier


def order(adequacy, cost, latency=None, *, at=0.5):
    seconds = np.zeros(len(cost)) if latency is None else np.array(latency)
    return cascade_order(np.array(adequacy), np.array(cost), seconds, min_adequacy=at).tolist()


def names(decision):
    return [option.name for option in decision.tiers]


def routed(*tiers, at=0.7, allowed=None, **read):
    return route(tiers, reading(**read), allowed or limits(), Terms(at))


def test_starts_with_the_cheapest_adequate_tier():
    assert [0, 1] == order([0.6, 0.9], [1.0, 5.0])


def in_order(*tiers, at=0.0, **read):
    return names(route(tiers, reading(**read), limits(), Terms(at, in_order=True)))


def test_a_cascade_keeps_its_order_whatever_is_predicted():
    tiers = [tier("dear", adequacy=0.9, usd=5.0), tier("cheap", adequacy=0.4, usd=1.0)]

    assert ["dear", "cheap"] == in_order(*tiers)


def test_a_cascade_leaves_out_who_is_too_weak_or_for_another_domain():
    tiers = [tier("weak", adequacy=0.1), tier("law", adequacy=0.9, domains=("legal",)),
             tier("fit", adequacy=0.9)]  # fmt: skip

    assert ["fit"] == in_order(*tiers, at=0.5, domain="code")
    assert ["law", "fit"] == in_order(*tiers, at=0.5, domain="legal")


def test_a_cascade_without_an_adequate_tier_keeps_all():
    assert ["a", "b"] == in_order(tier("a", adequacy=0.2), tier("b", adequacy=0.1), at=0.9)


def test_skips_tiers_below_the_threshold():
    assert [1] == order([0.4, 0.9], [1.0, 5.0])


def test_never_escalates_to_a_weaker_tier():
    assert [0] == order([0.8, 0.7], [1.0, 2.0])


def test_escalates_to_an_equal_tier():
    assert [0, 2] == order([0.8, 0.7, 0.8], [1.0, 2.0, 3.0])


def test_sums_of_the_same_priors_are_equal():
    assert [0, 1] == order([0.1 + 0.2, 0.3], [1.0, 2.0], at=0.1)


def test_falls_back_to_the_strongest_when_none_is_adequate():
    assert [1] == order([0.1, 0.3, 0.2], [1.0, 2.0, 3.0])


def test_falls_back_to_all_who_are_strongest():
    assert [0, 1, 3] == order([0.5, 0.5, 0.4, 0.5], [1.0, 2.0, 3.0, 4.0], at=0.7)


def test_of_equally_dear_tiers_the_faster_is_tried_first():
    assert [1, 0] == order([0.9, 0.6], [0.0, 0.0], [2.0, 1.0])


def test_of_equal_tiers_the_configured_order_decides():
    assert [0, 1] == order([0.6, 0.9], [0.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize(
    ("adequacy", "cost"),
    [
        pytest.param([], [], id="no tiers"),
        pytest.param([0.5], [1.0, 2.0], id="shapes differ"),
        pytest.param([np.nan], [1.0], id="adequacy is NaN"),
    ],
)
def test_rejects(adequacy, cost):
    with pytest.raises(ValueError, match="must"):
        order(adequacy, cost)


@given(arrays(np.float64, st.integers(1, 8), elements=st.floats(0, 1)), st.floats(0.01, 1.0))
def test_always_ends_with_a_tier_of_highest_adequacy(adequacy, threshold):
    kept = order(adequacy, np.arange(adequacy.size, dtype=np.float64), at=threshold)

    assert adequacy.max() == pytest.approx(adequacy[kept[-1]], abs=TIE)
    assert all(a <= b + TIE for a, b in pairwise(adequacy[kept]))


def test_says_why_the_cheapest_was_enough():
    decision = routed(tier("small", adequacy=0.8, usd=0.01), tier("large", adequacy=0.9, usd=0.1))

    assert ["small", "large"] == names(decision)
    assert decision.reason is Reason.CHEAPEST_ADEQUATE
    assert "cheapest tier whose predicted adequacy 0.80 reaches 0.70" in decision.reason_text
    assert "complexity 0.25" in decision.reason_text


def test_a_hard_prompt_starts_further_up():
    tiers = tier("small", adequacy=0.8, usd=0.01), tier("large", adequacy=0.95, usd=0.1)

    assert ["small", "large"] == names(routed(*tiers, complexity=0.1))
    assert ["large"] == names(routed(*tiers, complexity=0.7))


def test_says_when_none_is_adequate():
    decision = routed(tier("small", adequacy=0.3), tier("large", adequacy=0.5, usd=0.1))

    assert ["large"] == names(decision)
    assert decision.reason is Reason.MOST_ADEQUATE


def test_says_when_there_was_no_choice():
    assert routed(tier("only", adequacy=0.2)).reason is Reason.ONLY_TIER


def test_tiers_of_which_nothing_is_known_are_tried_in_configured_order():
    tiers = [tier(name, adequacy=0.5, latency_s=None) for name in ("small", "large", "largest")]
    decision = routed(*tiers)

    assert ["small", "large", "largest"] == names(decision)
    assert decision.reason is Reason.MOST_ADEQUATE


def test_a_latency_that_only_some_tell_decides_nothing():
    told, untold = tier("told", latency_s=0.1), tier("untold", latency_s=None)

    assert ["untold", "told"] == names(routed(untold, told))
    assert ["told", "untold"] == names(routed(told, untold))


def test_time_excludes_nobody_whose_latency_is_unknown():
    decision = routed(tier("a", latency_s=None), allowed=limits(time_s=0.3))

    assert ["a"] == names(decision)
    assert decision.candidates[0].latency_s is None


@pytest.mark.parametrize(
    ("allowed", "limit"),
    [
        pytest.param(limits(calls=0), "model_calls", id="calls"),
        pytest.param(limits(tokens=0), "tokens", id="tokens"),
        pytest.param(limits(usd=0.0), "cost_usd", id="money"),
    ],
)
def test_a_lease_that_allows_no_call_is_spent(allowed, limit):
    with pytest.raises(BudgetSpentError, match=limit):
        routed(tier("small", usd=0.01), tier("large", usd=0.1), allowed=allowed)
    with pytest.raises(BudgetSpentError, match=limit):
        convene(tier("jury", juror("a", usd=0.01), juror("b", usd=0.1)), reading(), allowed)


def test_without_money_the_free_are_asked():
    tiers = tier("paid", usd=0.01), tier("free")

    assert ["free"] == names(routed(*tiers, allowed=limits(usd=0.0)))


def test_without_money_a_free_tier_that_cannot_is_not_a_spent_budget():
    blind = tier("free", juror("free", context_tokens=10))
    with pytest.raises(NoEligibleTierError, match="free CONTEXT"):
        routed(tier("paid", usd=0.01), blind, allowed=limits(usd=0.0))


def test_the_runner_up_is_who_would_come_first_without_the_first():
    decision = routed(tier("small", adequacy=0.8, usd=0.01), tier("large", adequacy=0.9, usd=0.1))

    assert decision.runner_up == "large"
    assert decision.margin == pytest.approx(-0.1)


def test_a_single_candidate_has_no_runner_up():
    assert ("", 0.0) == (routed(tier("only")).runner_up, routed(tier("only")).margin)


SMALL = tier("small", adequacy=0.8, usd=0.01)
LARGE = tier("large", adequacy=0.9, usd=0.1)
COUNSEL = tier("counsel", adequacy=0.75, usd=0.05, domains=("legal",))


def test_the_specialist_comes_first_in_its_domain():
    decision = routed(SMALL, COUNSEL, LARGE, domain="legal")

    assert ["counsel", "large"] == names(decision)
    assert decision.reason is Reason.SPECIALIST
    assert "specialist for legal" in decision.reason_text


def test_a_specialist_below_the_threshold_still_comes_first():
    assert "counsel" == names(routed(SMALL, COUNSEL, LARGE, domain="legal", at=0.99))[0]


def test_a_specialist_is_not_asked_outside_its_domain():
    for domain in ("", "medical"):
        assert "counsel" not in names(routed(SMALL, COUNSEL, LARGE, domain=domain))


def test_a_specialist_that_is_the_only_one_left_is_asked():
    decision = routed(tier("small", juror("s", context_tokens=10)), COUNSEL, domain="medical")

    assert ["counsel"] == names(decision)


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from([(), ("legal",), ("code",)])),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["", "legal", "code"]),
    st.floats(0.05, 1.0),
)
def test_no_later_tier_is_predicted_weaker(specs, domain, threshold):
    tiers = [
        tier(str(n), adequacy=p, usd=usd, domains=domains)
        for n, (p, usd, domains) in enumerate(specs)
    ]

    adequacy = [option.adequacy for option in routed(*tiers, domain=domain, at=threshold).tiers]
    assert adequacy
    assert all(a <= b + TIE for a, b in pairwise(adequacy))


def test_every_tier_is_a_candidate_chosen_or_not():
    decision = routed(
        tier("small", juror("s", context_tokens=10)), SMALL, LARGE, allowed=limits(usd=0.05)
    )

    assert [("context",), (), ("cost",)] == [
        tuple(kind.value for kind in c.filtered) for c in decision.candidates
    ]


def test_when_nobody_is_left_it_says_why_of_each():
    with pytest.raises(NoEligibleTierError) as caught:
        routed(SMALL, LARGE, allowed=limits(usd=0.001))

    assert "small/small COST: it is expected to cost 0.010000 USD" in str(caught.value)
    assert "large/large COST" in str(caught.value)


def test_an_error_names_only_so_many():
    jurors = [juror(str(n), latency_s=9) for n in range(64)]
    with pytest.raises(NoEligibleTierError, match="52 more are left out") as caught:
        routed(tier("t", *jurors), allowed=limits(time_s=1))

    assert len(str(caught.value)) < 2048


def test_a_jury_is_asked_as_one_tier():
    jury = tier("jury", juror("a"), juror("b"), juror("c"))
    decision = convene(jury, reading(), limits())

    assert decision.reason is Reason.JURY
    assert ["a", "b", "c"] == [seat.juror.name for seat in decision.tiers[0].seating.seats]
    assert 2 == decision.tiers[0].seating.quorum
    assert "3 of 3 jurors at once, quorum 2" in decision.reason_text


def test_a_jury_goes_on_without_those_who_cannot():
    jury = tier("jury", juror("a"), juror("b", latency_s=9), juror("c"))
    decision = convene(jury, reading(), limits(time_s=2))

    assert ["a", "c"] == [seat.juror.name for seat in decision.tiers[0].seating.seats]
    assert "b is left out: it usually takes 9.0 s; 2.0 s are left" in decision.reason_text
    assert [(), ("latency",), ()] == [tuple(c.filtered) for c in decision.candidates]


def test_a_jury_below_its_quorum_is_not_convened():
    jury = tier("jury", juror("a"), juror("b", latency_s=9), quorum=2)
    with pytest.raises(NoEligibleTierError, match=r"1 jurors can .* quorum is 2.*b LATENCY"):
        convene(jury, reading(), limits(time_s=2))
