"""What another router would have been worth is estimated from what was drawn, or refused."""

import numpy as np
import pytest

from gremium.v1 import manifest_pb2, router_pb2
from router_svc.learned import Known
from router_svc.recording import as_bytes
from router_svc.replay import choice, trials_of, worth_of
from router_svc.terms import Rule, Terms
from services.routing.artefact import Embedding
from services.routing.features import FEATURE_VERSION, features, of_text
from services.routing.fit import fit
from services.routing.off_policy import NoSupportError
from tests.unit.routing.test_predict import DIM, planted

TERMS = Terms(min_adequacy=0.5, rule=Rule.UTILITY, value_usd=0.1)
VALUES = features(of_text("prompt number 7?"))
PASS, FAIL = manifest_pb2.VERDICT_KIND_PASS, manifest_pb2.VERDICT_KIND_FAIL


@pytest.fixture(scope="module")
def known():
    """`small` is enough for easy prompts, and for those only."""
    routing = fit(planted(), Embedding("none", "words", DIM), created="")
    return Known(routing, ("small", "large"))


def drawn(rng, *, propensity=0.5, nth=0, only=None):
    """One request; either tier was drawn by even chance."""
    axis, cost = int(rng.integers(2)), {"small": 0.001, "large": 0.02}
    name = only or ("small", "large")[int(rng.integers(2))]
    right = rng.random() < (0.85 if name == "large" else (0.9, 0.2)[axis])
    made = manifest_pb2.Manifest(ensemble="main", chosen_tier=name, request_id=f"r{nth}")
    route = made.route
    route.features.version = FEATURE_VERSION
    route.features.values.extend(VALUES)
    route.features.vector = as_bytes(np.eye(DIM, dtype=np.float32)[axis])
    route.features.embedding = "none/words"
    route.features.question_digest = f"{nth:032d}"
    route.tiers.add(name=name, jurors=[name])
    for tier, dollars in cost.items():
        score = route.candidates.add(name=tier, eligible=True, expected_cost_usd=dollars)
        score.adequacy.value, score.utility = 0.6, 0.5
        score.models.add(model=tier).adequacy.value = 0.6
    route.context.extend([1.0, 0.2, 0.2])
    route.propensity, route.price_of_money = propensity, 10.0
    made.verdicts.add(tier=name, juror=name, kind=PASS if right else FAIL)
    made.participations.add(
        stage=manifest_pb2.STAGE_JURY, name=name, model=name, tier=name, cost_usd=cost[name]
    )
    return made


def requests(n, **how):
    rng = np.random.default_rng(0)
    return [drawn(rng, nth=nth, **how) for nth in range(n)]


def trials(asked, **how):
    return trials_of(asked, embedding="none/words", **how)


def test_chooses_by_its_own_predictions_at_the_price_of_then(known):
    easy, hard = (
        next(r.route for r in requests(20) if r.route.features.vector[at] == 127) for at in (0, 1)
    )

    assert ("small", "large") == (choice(known, easy, TERMS), choice(known, hard, TERMS))

    hard.price_of_money = 1000.0
    assert "small" == choice(known, hard, TERMS)


def test_tiers_that_could_not_be_drawn_are_not_chosen(known):
    decision = next(r.route for r in requests(20) if r.route.features.vector[1] == 127)
    decision.candidates[1].ClearField("utility")

    assert "small" == choice(known, decision, TERMS)


def test_the_estimate_holds_what_is_true(known):
    """Easy prompts go to `small` (.9), hard ones to `large` (.85), each half of all."""
    found = worth_of(known, trials(requests(3000)), TERMS)

    assert abs(found.quality.mean - 0.875) < 3 * found.quality.standard_error < 0.06
    assert abs(found.cost_usd.mean - 0.0105) < 3 * found.cost_usd.standard_error < 0.002
    assert found.quality.gain > 3 * found.quality.gain_error
    assert 0.45 < found.agrees < 0.55


def test_what_nobody_tried_is_refused(known):
    with pytest.raises(NoSupportError):
        worth_of(known, trials(requests(500, only="small", propensity=1.0)), TERMS)


def test_requests_that_a_router_learned_from_tell_nothing_of_it():
    asked = requests(10)
    learned = [asked[0].route.features.question_digest, asked[1].route.features.question_digest]

    assert 8 == len(trials(asked, learned_from=learned))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda r: r.route.ClearField("context"), id="not drawn"),
        pytest.param(lambda r: r.ClearField("verdicts"), id="not judged"),
        pytest.param(lambda r: r.route.features.ClearField("vector"), id="no embedding"),
        pytest.param(lambda r: setattr(r.route.features, "embedding", "x"), id="another one"),
    ],
)
def test_other_requests_are_no_trials(spoil):
    (asked,) = requests(1)
    assert 1 == len(trials([asked]))

    spoil(asked)
    assert [] == trials([asked])


def test_no_forecast_is_needed_of_a_model_that_was_not_learned(known):
    (asked,) = requests(1)
    assert router_pb2.RouteDecision.FromString(asked.route.SerializeToString())
    asked.route.candidates[1].models[0].model = "unknown"
    asked.route.candidates[1].models[0].adequacy.value = 0.999
    asked.route.price_of_money = 0.0

    assert "large" == choice(known, asked.route, TERMS)
