"""For want of a router nobody is asked whom the ensemble may not ask."""

import pytest

from gremium.v1 import ensemble_pb2
from services.config.tree import Config
from services.core.deadline import Deadline
from services.core.errors import NoEligibleTierError, PeerError
from services.gateway.case import Case
from services.gateway.fallbacks import default_route

MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5.0}
LOST = PeerError("not there")


def case(*tiers, allow):
    models = {"eu": {**MODEL, "region": "eu"}, "us": {**MODEL, "region": "us"}}
    main = {
        "pattern": "route",
        "allow": allow,
        "tiers": [
            {"name": f"{nth}", "jurors": [{"model": m, "name": f"{m}{i}"} for i, m in enumerate(t)]}
            for nth, t in enumerate(tiers)
        ],
    }
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


def asked(found):
    return [(tier.name, list(tier.jurors), tier.quorum) for tier in found.tiers]


def test_leaves_out_jurors_and_tiers_that_may_not_be_asked():
    found = default_route(case(["us"], ["eu", "us", "eu"], allow={"regions": ["eu"]}), LOST)

    assert [("1", ["eu0", "eu2"], 2)] == asked(found)


def test_without_limits_all_are_asked():
    assert [("0", ["us0"], 1), ("1", ["eu0"], 1)] == asked(
        default_route(case(["us"], ["eu"], allow={}), LOST)
    )


def test_fails_rather_than_ask_who_may_not_be():
    with pytest.raises(NoEligibleTierError):
        default_route(case(["us"], allow={"regions": ["eu"]}), LOST)
