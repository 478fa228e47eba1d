"""The lint names tiers, policies and jurors that never get their turn."""

import pytest

from services.config.lint import lint
from services.config.tree import Config
from tests.unit.config.linted import MODELS, found, model


def cascade(*tiers):
    """A cascade of tiers, each a list of models or of models and its domains."""
    return {
        "pattern": "route",
        "tiers": [
            {"name": "-".join(names), "jurors": [{"model": n} for n in names], **more}
            for names, more in tiers
        ],
        "judge": {"models": ["qwen"]},
    }


WEAK = {"weak": model("weak", adequacy=0.4)}


def test_warns_of_a_tier_that_a_stronger_one_leaves_no_turn():
    assert [("UNREACHABLE_TIER", "ensembles.default.tiers.weak")] == found(
        cascade((["gpt"], {}), (["weak"], {})), **WEAK
    )


@pytest.mark.parametrize(
    ("weak", "more"),
    [
        pytest.param({"adequacy": 0.5}, {}, id="as strong"),
        pytest.param({}, {"domains": ["legal"]}, id="a specialist"),
        pytest.param({"context_tokens": 100_000}, {}, id="takes longer prompts"),
        pytest.param({"price": {"output_usd_per_mtok": 0.1}}, {}, id="cheaper"),
    ],
)
def test_accepts_a_tier_that_has_its_turn(weak, more):
    ensemble = cascade((["gpt"], {}), (["weak"], more))

    assert [] == found(ensemble, weak=model("weak", **{"adequacy": 0.4, **weak}))


def test_accepts_a_weaker_tier_that_answers_when_time_is_short():
    quick = model("quick", adequacy=0.4, expected_latency_s=0.5)
    slow = model("slow", expected_latency_s=5)

    assert [] == found(cascade((["slow"], {}), (["quick"], {})), slow=slow, quick=quick)


def test_accepts_a_jury_that_a_stronger_model_precedes():
    many = {name: model(name, adequacy=0.6) for name in ("a", "b", "c")}
    ensemble = cascade((["strong"], {}), (list(many), {}))

    assert [] == found(ensemble, strong=model("strong", adequacy=0.65), **many)


def routed(policy, *tiers, **changes):
    named = [{"name": name, "jurors": [{"model": name}]} for name in tiers or ("gpt", "claude")]
    return {"pattern": "route", "tiers": named, "policy": policy, **changes}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param({"rule": "utility"}, ["POLICY_WITHOUT_ARTEFACT"], id="weighs predictions"),
        pytest.param(
            {"rule": "strong_share", "share": 0.5}, ["POLICY_WITHOUT_ARTEFACT"], id="share"
        ),
        pytest.param({}, [], id="the default begins with heuristics"),
        pytest.param({"rule": "fixed", "tier": "gpt"}, [], id="fixed"),
    ],
)
def test_warns_of_a_policy_that_nothing_was_learned_for(policy, expected):
    codes = [code for code, _ in found(routed(policy)) if code != "UNREACHABLE_TIER"]

    assert expected == codes


def test_is_silent_about_it_where_something_was_learned():
    config = Config.model_validate(
        {
            "models": MODELS,
            "ensembles": {"default": routed({"rule": "utility"})},
            "router": {"artefact": "router.json"},
        }
    )

    assert {"UNUSED_MODEL"} == {finding.code for finding in lint(config)}


def test_warns_of_a_juror_that_may_never_be_asked():
    ensemble = routed({}, "eu", "us", allow={"regions": ["eu"]})
    models = {name: model(name, region=name, adequacy=a) for name, a in (("eu", 0.4), ("us", 0.9))}

    assert [("BARRED_JUROR", "ensembles.default.tiers.us.us")] == found(ensemble, **models)
