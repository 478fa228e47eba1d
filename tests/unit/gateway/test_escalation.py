"""A cascade asks on where the best it has in hand, or nothing, may be bettered at its price."""

from dataclasses import replace

import pytest

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from services.calibration.artefact import Calibration, ConfidenceMap, Gate, PoolFit
from services.config.ensembles import Escalate
from services.core.lease import Lease
from services.gateway.patterns.escalation import worth_asking
from services.runtime.wire import duration_to_wire
from tests.cases import cascade_case, tier

TERMS = Escalate(value_usd=1.0, depth=2)
FIT = PoolFit(
    rule="logit",
    jurors=("small-0",),
    weights=(1.0,),
    alone=(0.0,),
    abstaining=(0.0,),
    priors=(0.6,),
    none_score=0.0,
    abstain=0.0,
    gate=Gate(closed=False, best="small-0", quantile=0.0, n=90),
    confidence=ConfidenceMap(),
    n_labels=90,
    metrics={},
)


def sure(value, *, calibrated=True):
    return types_pb2.Probability(value=value, low=value, high=value, calibrated=calibrated)


def routed(name, right=0.5, *, cost_usd=0.0, latency_s=0.0):
    return router_pb2.Tier(
        name=name,
        adequacy=sure(right),
        expected_cost_usd=cost_usd,
        expected_latency=duration_to_wire(latency_s),
    )


def told(*, p_ok=None, escalations=0, calibrated=True, **p_correct):
    """A manifest of tiers that were asked, with what their answers are right with."""
    return manifest_pb2.Manifest(
        tallies=[
            manifest_pb2.Tally(tier=name, p_correct=sure(value, calibrated=calibrated))
            for name, value in p_correct.items()
        ],
        verdicts=[
            manifest_pb2.Verdict(tier=name, p_ok=sure(value))
            for name, value in (p_ok or {}).items()
        ],
        escalations=[manifest_pb2.Escalation()] * escalations,
    )


def asked(manifest, *left, answered, lease=None, terms=TERMS):
    """Names of the tiers to ask after those in the manifest; None: confidence decides."""
    case = cascade_case(tier("small"), tier("medium"), tier("large"), allowed_s=10.0)
    last = router_pb2.Tier(name=manifest.tallies[-1].tier if manifest.tallies else "small")
    found = worth_asking(
        case, terms, manifest, [last, *left], lease or Lease(), answered=answered.split()
    )
    return None if found is None else [each.name for each in found.tiers]


@pytest.mark.parametrize(("right", "names"), [(0.85, []), (0.95, ["large"])])
def test_it_has_to_better_the_best_in_hand_not_the_last(right, names):
    manifest = told(small=0.9, medium=0.6)

    assert names == asked(manifest, routed("large", right), answered="small medium")


@pytest.mark.parametrize(
    ("answered", "names"), [("small", []), ("", ["large"])], ids=["answered", "no consensus"]
)
def test_only_what_was_answered_is_in_hand(answered, names):
    assert names == asked(told(small=0.9), routed("large", 0.5), answered=answered)


def test_nothing_in_hand_is_worth_no_more_than_its_price():
    dear = routed("large", 0.5, cost_usd=0.6)

    assert [] == asked(told(small=0.9), dear, answered="")
    assert [] == asked(told(), dear, answered="")


def test_p_ok_tells_more_than_p_correct():
    manifest = told(small=0.6, p_ok={"small": 0.95})

    assert [] == asked(manifest, routed("large", 0.8), answered="small")


@pytest.mark.parametrize(
    ("offer", "names"),
    [
        pytest.param(routed("large", 0.9, cost_usd=0.2), ["large"], id="affordable"),
        pytest.param(routed("large", 0.9, cost_usd=0.3), [], id="beyond the budget"),
        pytest.param(routed("large", 0.9, latency_s=11.0), [], id="beyond the deadline"),
    ],
)
def test_asks_nobody_whom_there_is_no_room_for(offer, names):
    assert names == asked(told(small=0.1), offer, answered="small", lease=Lease(cost_usd=0.25))


def test_who_is_worth_less_is_left_out():
    left = routed("medium", 0.5), routed("large", 0.9)

    assert ["large"] == asked(told(small=0.4), *left, answered="small")


@pytest.mark.parametrize("answered", ["small", ""])
def test_it_goes_no_deeper_than_configured(answered):
    manifest = told(small=0.1, escalations=2)

    assert [] == asked(manifest, routed("large", 1.0), answered=answered)


def test_a_guess_of_what_is_in_hand_leaves_it_to_the_confidence():
    manifest = told(small=0.1, calibrated=False)

    assert asked(manifest, routed("large", 1.0), answered="small") is None


def learned(base=0.6):
    """A cascade whose first tier's answers are right with `base`, as far as was learned."""
    case = cascade_case(tier("small"), tier("large"), allowed_s=10.0)
    fit = replace(FIT, metrics={"accuracy": base, "spread": 0.05})
    made = Calibration("2026-01-01T00:00:00+00:00", "0" * 64, pools={"main/small": fit})
    return replace(case, calibration=made)


def beside(seen, *, ahead, expected, correlation):
    """Whether a tier that costs .1 is asked after one whose answer looks right with `seen`."""
    manifest = told(small=seen)
    small, large = routed("small", ahead), routed("large", expected, cost_usd=0.1)
    small.correlations["large"] = correlation
    manifest.route.tiers.extend([small, large])
    found = worth_asking(learned(), TERMS, manifest, [small, large], Lease(), answered=["small"])
    return [each.name for each in found.tiers]


def test_what_the_router_knew_of_the_prompt_counts_for_the_answer_in_hand():
    """Its signals say no more than that such answers are right with .6."""
    known = {"expected": 0.9, "correlation": 0.0}

    assert ["large"] == beside(0.6, ahead=0.6, **known)
    assert [] == beside(0.6, ahead=0.9, **known)


@pytest.mark.parametrize(
    ("correlation", "names"),
    [
        pytest.param(0.0, ["large"], id="who errs elsewhere"),
        pytest.param(0.9, [], id="who errs on the same prompts"),
    ],
)
def test_an_answer_that_looks_worse_than_expected_lowers_who_errs_alike(correlation, names):
    """In hand is .23 instead of .5, so that .5 falls to .26 where the two err together."""
    assert names == beside(0.3, ahead=0.5, expected=0.5, correlation=correlation)
