"""A gateway works on twice as many requests as the models can answer at once."""

import pytest

from services.config.slots import ensemble_slots, service_slots
from services.config.tree import Config


def config(ensemble, *, also=None, **limits):
    models = {
        name: {
            "backend": "openai",
            "model": name,
            "family": name,
            "timeout_s": 5,
            "max_concurrent": limit,
        }
        for name, limit in limits.items()
    }
    ensembles = {"asked": ensemble, **(also or {})}
    return Config(models=models, ensembles=ensembles, default_ensemble="asked")


def jury(*models, **more):
    jurors = [{"model": name, "name": f"{name}-{nth}"} for nth, name in enumerate(models)]
    return {"pattern": "jury", "jurors": jurors, **more}


def slots(*args, **kwargs):
    found = config(*args, **kwargs)
    return ensemble_slots(found, found.ensembles["asked"])


TIERS = [{"name": name, "jurors": [{"model": name}]} for name in ("a", "b")]
STEPS = {"one": {"model": "a"}, "two": {"ensemble": "wide", "depends_on": ["one"]}}


@pytest.mark.parametrize(
    ("ensemble", "expected"),
    [
        pytest.param(jury("a", "b"), 8, id="its scarcest model"),
        pytest.param(jury("b", "b", "b"), 6, id="a model asked three times"),
        pytest.param(jury("a", "a", "a", "a", "a"), 2, id="never none"),
        pytest.param({"pattern": "cascade", "tiers": TIERS}, 20, id="its widest tier"),
        pytest.param({"pattern": "specialists", "steps": STEPS}, 8, id="its scarcest step"),
        pytest.param(jury("a", max_concurrent=5), 5, id="as configured"),
    ],
)
def test_slots_follow_the_models(ensemble, expected):
    assert expected == slots(ensemble, also={"wide": jury("b")}, a=4, b=10)


def test_a_service_takes_all_that_the_gateway_does():
    found = config({"pattern": "specialists", "steps": STEPS}, also={"wide": jury("b")}, a=4, b=10)

    assert 64 + 2 * 8 + 20 == service_slots(found)
