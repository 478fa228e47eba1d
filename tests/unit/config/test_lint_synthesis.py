"""The lint names a synthesis that cannot be worth its price."""

import pytest

from services.config.lint import lint
from services.config.tree import Config
from tests.unit.config.linted import MODELS, found, jury, model

WRITTEN = {"synthesis": {"models": ["qwen"], "timeout_s": 15}, "judge": None}


def test_is_silent_about_a_synthesis_by_a_model_from_outside():
    outside = {"synthesis": {"models": ["llama"], "timeout_s": 15}}

    assert [] == found(jury("gpt", "claude", **outside), llama=model("llama"))
    assert [] == found(jury("gpt", "claude", **WRITTEN))


def test_warns_of_a_synthesis_by_a_juror():
    ensemble = jury("gpt", "claude", "qwen", **WRITTEN)

    assert [("SYNTHESISER_IN_JURY", "ensembles.default.synthesis.models")] == found(ensemble)


def test_warns_of_a_synthesis_by_the_jurys_own_family():
    mini = model("gpt", model="gpt-mini", provider="other")
    large = model("gpt", model="gpt-large", provider="third")
    written = {"synthesis": {"models": ["large"], "timeout_s": 15}}

    told = found(jury("gpt", "mini", **written), mini=mini, large=large)

    assert ("SYNTHESISER_OF_JURYS_FAMILY", "ensembles.default.synthesis.models") in told


def test_warns_of_a_synthesis_that_nobody_can_judge():
    ensemble = jury("gpt", "claude", synthesis={"models": ["qwen"], "timeout_s": 15})

    assert [("SYNTHESIS_UNJUDGED", "ensembles.default.synthesis.models")] == found(ensemble)


def test_warns_of_a_synthesis_with_nothing_to_choose_from():
    told = found(jury("gpt", **WRITTEN))

    assert ("SYNTHESIS_WITHOUT_CHOICE", "ensembles.default.synthesis") in told


def test_warns_of_a_synthesis_that_its_caller_does_not_wait_for():
    late = {**WRITTEN, "synthesis": {"models": ["qwen"], "timeout_s": 21}}

    assert [("TIMEOUT_BEYOND_CALLER", "ensembles.default.synthesis")] == found(
        jury("gpt", "claude", **late)
    )


@pytest.mark.parametrize(
    "shape", [{"labels": ["a", "b"]}, {"number": True}, {"json_schema": {"type": "object"}}]
)
def test_warns_of_data_that_is_never_synthesised(shape):
    steps = {"ask": {"ensemble": "prose", "output_format": shape}}
    config = Config.model_validate(
        {
            "models": MODELS,
            "ensembles": {
                "default": {"pattern": "specialists", "steps": steps},
                "prose": jury("gpt", "claude", **WRITTEN),
            },
        }
    )

    told = [(each.code, each.where) for each in lint(config) if "SYNTH" in each.code]

    assert [("SYNTHESIS_OF_DATA", "ensembles.default.steps.ask")] == told
