"""Stages are told what is known of jurors: by a calibration, else by the `adequacy` that is set."""

import pytest

from gremium.v1 import ensemble_pb2
from services.calibration.configured import Match
from services.config.tree import Config
from services.core.deadline import Deadline
from services.gateway.case import Case
from services.gateway.learned import juror_weight, prior_vote

MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5.0}
UNKNOWN = Match(None, "no calibration is configured")


def case(*adequacies, weights=(), **aggregate):
    models = {
        f"m{i}": MODEL if adequacy is None else {**MODEL, "adequacy": adequacy}
        for i, adequacy in enumerate(adequacies)
    }
    jurors = [{"model": name} for name in models]
    for juror, weight in zip(jurors, weights, strict=False):
        juror["weight"] = weight
    main = {"pattern": "jury", "jurors": jurors, "aggregate": aggregate}
    config = Config.model_validate({"models": models, "ensembles": {"main": main}})
    return Case(
        request_id="r",
        asked=ensemble_pb2.AskRequest(),
        name="main",
        ensemble=config.ensembles["main"],
        models=config.models,
        config_sha256="",
        allowed_s=10.0,
        deadline=Deadline.after(10.0),
    )


def told(case):
    (tier,) = case.ensemble.tiers
    weights = [juror_weight(each, case.models[each.model], UNKNOWN) for each in tier.jurors]
    found = prior_vote(case, tier, weights, UNKNOWN)
    return None if found is None else (found.best_juror, found.log_odds)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param(case(0.95, 0.4, 0.4), ("m0", False), id="one is far better"),
        pytest.param(case(0.8, 0.7, 0.7), None, id="none is"),
        pytest.param(case(0.95, None, None), None, id="the others are not known"),
        pytest.param(case(0.95, 0.4, 0.4, weights=(0,)), None, id="who is better is not heard"),
        pytest.param(case(0.95, 0.9, 0.2, weights=(1, 1, 0)), None, id="who is worse is not heard"),
        pytest.param(case(0.95, 0.4, 0.4, method="plurality"), None, id="votes are asked for"),
    ],
)
def test_one_stands_for_all_where_it_is_known_to_be_far_better(asked, found):
    assert found == told(asked)
