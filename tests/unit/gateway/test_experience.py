"""What the judge says of a first tier corrects what is predicted of it, and tells of drift."""

import logging

import numpy as np
import pytest

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from services.gateway.experience import MAX_NOTICED, Experience, outcome_of
from services.routing.bandit import Arm, corrections

PASS, FAIL, UNJUDGED = (
    manifest_pb2.VERDICT_KIND_PASS,
    manifest_pb2.VERDICT_KIND_FAIL,
    manifest_pb2.VERDICT_KIND_UNJUDGED,
)
CONTEXT = [1.0, 0.5, 0.4]


def request(kind, *, adequacy=0.7, tier="small", judged="small", context=CONTEXT, artefact="one",
            calibrated=True, p_ok=None):  # fmt: skip
    told = types_pb2.Probability(value=adequacy, calibrated=calibrated)
    verdict = manifest_pb2.Verdict(kind=kind, tier=judged)
    if p_ok is not None:
        verdict.p_ok.CopyFrom(types_pb2.Probability(value=p_ok, calibrated=True))
    route = router_pb2.RouteDecision(
        tiers=[router_pb2.Tier(name=tier, adequacy=told), router_pb2.Tier(name="large")],
        context=context,
        artefact_id=artefact,
        learned_domain="law",
    )
    return manifest_pb2.Manifest(ensemble="main", route=route, verdicts=[verdict])


def noted(*manifests):
    found = Experience(np.random.default_rng(0))
    for each in manifests:
        found.note(each)
    return found


def correction(told):
    arm = Arm(np.array(told.precision).reshape(3, 3), np.array(told.moment))
    return corrections([arm], np.array([CONTEXT]))[0][0]


@pytest.mark.parametrize(("kind", "expected"), [(PASS, 0.3), (FAIL, -0.7)])
def test_corrects_a_tier_by_the_verdicts_on_it(kind, expected):
    (told,) = noted(*[request(kind)] * 100).of("main")

    assert "small" == told.tier
    assert correction(told) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(request(UNJUDGED), id="nobody judged"),
        pytest.param(request(PASS, judged="large"), id="another tier was judged"),
        pytest.param(request(PASS, context=[]), id="nothing was drawn"),
        pytest.param(manifest_pb2.Manifest(ensemble="main"), id="nothing was routed"),
    ],
)
def test_learns_nothing_where_nobody_knows(manifest):
    assert not noted(manifest).of("main")


def test_a_calibrated_probability_says_more_than_the_verdict():
    assert outcome_of(request(PASS)) == 1.0
    assert outcome_of(request(PASS, p_ok=0.8)) == 0.8


def test_another_trained_router_begins_anew():
    found = noted(*[request(FAIL)] * 10, request(PASS, artefact="two"))

    (told,) = found.of("main")
    assert correction(told) > 0.0


def verdicts(share, n, seed):
    return [PASS if right else FAIL for right in np.random.default_rng(seed).random(n) < share]


def test_tells_once_that_the_verdicts_on_a_tier_have_turned(caplog):
    before = [request(kind) for kind in verdicts(0.75, 200, 0)]
    after = [request(kind) for kind in verdicts(0.25, 60, 1)]
    with caplog.at_level(logging.WARNING):
        found = noted(*before, *after)

    (sign,) = found.noticed
    assert ("main", "small", "law", "one") == (
        sign.ensemble, sign.tier, sign.domain, sign.artefact_id
    )  # fmt: skip
    assert "in domain law are no longer judged" in sign.reason_text
    assert "drift of main/small" in caplog.text


def test_does_not_mind_verdicts_that_differ_from_what_was_predicted_all_along():
    assert not noted(*[request(kind) for kind in verdicts(0.3, 1_000, 2)]).noticed


def test_a_guess_cannot_drift():
    turned = [request(kind, calibrated=False) for kind in [PASS] * 200 + [FAIL] * 100]

    assert not noted(*turned).noticed


def test_keeps_only_the_latest_signs():
    found = Experience(np.random.default_rng(0))
    for artefact in range(MAX_NOTICED + 3):
        for kind in [PASS] * 40 + [FAIL] * 40:
            found.note(request(kind, artefact=str(artefact)))

    assert MAX_NOTICED == len(found.noticed)
    assert str(MAX_NOTICED + 2) == found.noticed[-1].artefact_id
