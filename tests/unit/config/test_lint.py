"""The lint names each anti-pattern once, where it stands, and says what to do."""

import pytest

from services.config.lint import ADVICE, lint
from services.config.tree import Config
from tests.unit.config.linted import MODELS, found, jury, model


def test_is_silent_about_a_mixed_jury_with_a_judge_from_outside():
    assert [] == found(jury("gpt", "claude", "gemini"))


def test_warns_of_a_jury_of_one_family():
    ensemble = jury("gpt", "mini")

    assert [("ONE_FAMILY", "ensembles.default.jurors")] == found(
        ensemble, mini=model("gpt", model="gpt-mini", provider="other")
    )


def test_warns_of_a_jury_of_one_provider():
    ensemble = jury("gpt", "llama")

    assert [("ONE_PROVIDER", "ensembles.default.jurors")] == found(
        ensemble, llama=model("llama", provider="gpt")
    )


def test_takes_the_backend_for_the_provider_when_none_is_named():
    one = {"a": model("a", provider=""), "b": model("b", provider="")}

    assert [("ONE_PROVIDER", "ensembles.default.jurors")] == found(jury("a", "b"), **one)


def test_warns_of_one_model_asked_several_times():
    assert [("SAME_MODEL", "ensembles.default.jurors")] == found(jury("gpt", "gpt", "claude"))


def test_sees_one_model_behind_two_names():
    assert [("SAME_MODEL", "ensembles.default.jurors")] == found(
        jury("gpt", "again", "claude"), again=model("gpt")
    )


def test_warns_of_more_than_five_jurors_with_equal_votes():
    many = {f"m{index}": model(f"m{index}") for index in range(6)}

    assert [("LARGE_JURY", "ensembles.default.jurors")] == found(jury(*many), **many)


def test_accepts_a_large_jury_with_weights():
    many = {f"m{index}": model(f"m{index}") for index in range(6)}
    ensemble = jury(*many)
    ensemble["jurors"][0]["weight"] = 2.5

    assert [] == found(ensemble, **many)


def test_warns_of_an_author_whose_only_judges_are_kin():
    ensemble = jury("gpt", "claude", judge={"models": ["big"]})

    assert [("JUDGE_OF_AUTHORS_FAMILY", "ensembles.default.judge.models")] == found(
        ensemble, big=model("gpt", model="gpt-big")
    )


def test_compares_names_as_the_judge_does():
    spelt = {"big": model(" GPT ", model="gpt-big"), "mini": model("Gpt", provider="GPT")}

    assert [("JUDGE_OF_AUTHORS_FAMILY", "ensembles.default.judge.models")] == found(
        jury("gpt", "claude", judge={"models": ["big"]}), big=spelt["big"]
    )
    assert {"ONE_FAMILY", "ONE_PROVIDER"} == {
        code for code, _ in found(jury("gpt", "mini"), **spelt)
    }


def test_accepts_a_kindred_judge_beside_one_of_another_family():
    ensemble = jury("gpt", "claude", judge={"models": ["big", "gemini"]})

    assert [] == found(ensemble, big=model("gpt", model="gpt-big"))


def test_warns_of_a_judge_that_sits_in_its_jury():
    ensemble = jury("gpt", "claude", judge={"models": ["gemini", "claude"]})

    assert [("JUDGE_IN_JURY", "ensembles.default.judge.models")] == found(ensemble)


def test_lets_a_judge_answer_in_a_tier_that_another_judges():
    tiers = [{"name": name, "jurors": [{"model": name}]} for name in ("gpt", "claude")]
    ensemble = {"pattern": "route", "tiers": tiers, "judge": {"models": ["gemini"]}}

    assert [] == found(ensemble)


def test_warns_of_a_juror_that_outwaits_its_caller():
    ensemble = jury("gpt", "claude", default_timeout_s=16)
    ensemble["jurors"][1]["timeout_s"] = 17

    assert [("TIMEOUT_BEYOND_CALLER", "ensembles.default.jurors.j1")] == found(ensemble)


def test_takes_the_models_timeout_when_the_juror_has_none():
    slow = model("slow", timeout_s=60)

    assert [("TIMEOUT_BEYOND_CALLER", "ensembles.default.jurors.j1")] == found(
        jury("gpt", "slow"), slow=slow
    )


def test_warns_of_a_judge_that_outwaits_its_caller():
    ensemble = jury("gpt", "claude", judge={"models": ["qwen"], "timeout_s": 21})

    assert [("TIMEOUT_BEYOND_CALLER", "ensembles.default.judge")] == found(ensemble)


def test_compares_no_timeout_with_a_caller_who_must_set_his_own():
    assert [] == found(jury("gpt", "claude", default_timeout_s=None))


def test_warns_of_judge_settings_without_judge_models():
    ensemble = jury("gpt", "claude", judge={"min_score": 0.7, "timeout_s": 3})

    assert [
        ("JUDGE_WITHOUT_MODELS", "ensembles.default.judge.min_score"),
        ("JUDGE_WITHOUT_MODELS", "ensembles.default.judge.timeout_s"),
    ] == found(ensemble)


def test_warns_of_a_judge_that_names_an_empty_list():
    assert [("JUDGE_WITHOUT_MODELS", "ensembles.default.judge.models")] == found(
        jury("gpt", "claude", judge={"models": []})
    )


def test_accepts_a_judge_that_only_runs_its_checks():
    assert [] == found(jury("gpt", "claude", judge={}))


def test_warns_of_jurors_that_see_before_a_judge_that_does_not():
    ensemble = jury("gpt", "seer")

    assert [("JUDGE_WITHOUT_IMAGES", "ensembles.default.judge.models")] == found(
        ensemble, seer=model("seer", images=True)
    )


def test_accepts_a_judge_that_sees_what_its_jurors_see():
    sighted = {name: model(name, images=True) for name in ("gpt", "qwen")}

    assert [] == found(jury("gpt", "claude"), **sighted)


def test_warns_of_a_model_that_usually_takes_longer_than_anybody_waits():
    slow = model("slow", expected_latency_s=12)

    assert [("LATENCY_BEYOND_TIMEOUT", "ensembles.default.jurors.j1")] == found(
        jury("gpt", "slow"), slow=slow
    )


def test_warns_of_delivering_rejected_answers_that_nobody_rejects():
    ensemble = jury("gpt", "claude", judge=None, deliver_rejected=True)

    assert [("REJECTED_WITHOUT_JUDGE", "ensembles.default.deliver_rejected")] == found(ensemble)


@pytest.mark.parametrize("backend", ["openai", "anthropic", "google"])
def test_warns_of_a_billed_model_without_a_price(backend):
    free = model("free", backend=backend, price={})

    assert [("PRICE_MISSING", "models.free.price")] == found(jury("gpt", "free"), free=free)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:11434/v1",
        "http://localhost:8000/v1",
        "http://[::1]:8000/v1",
        "http://10.0.0.7/v1",
        "http://vllm:8000/v1",
    ],
)
def test_expects_no_price_of_a_server_of_ones_own(base_url):
    own = model("own", base_url=base_url, price={})

    assert [] == found(jury("gpt", "own"), own=own)


def test_expects_a_price_of_a_public_address():
    hosted = model("hosted", base_url="https://api.example.com/v1", price={})

    assert [("PRICE_MISSING", "models.hosted.price")] == found(jury("gpt", "hosted"), hosted=hosted)


def test_expects_no_price_of_a_local_model():
    local = model("smol", backend="local", price={})

    assert [] == found(jury("gpt", "smol"), smol=local)


def test_warns_of_an_ensemble_of_one_juror():
    assert [("LONE_JUROR", "ensembles.default")] == found(jury("gpt"))


def test_names_the_tier_of_a_cascade():
    tiers = [
        {"name": "small", "jurors": [{"model": "gpt"}]},
        {"name": "wide", "jurors": [{"model": "claude"}, {"model": "claude", "name": "twin"}]},
    ]

    assert {
        (code, "ensembles.default.tiers.wide")
        for code in ("ONE_FAMILY", "ONE_PROVIDER", "SAME_MODEL")
    } == set(found({"pattern": "route", "tiers": tiers}))


def test_warns_of_a_model_that_nobody_asks():
    config = Config.model_validate(
        {"models": MODELS, "ensembles": {"default": jury("gpt", "claude")}}
    )

    assert [("UNUSED_MODEL", "models.gemini")] == [(f.code, f.where) for f in lint(config)]


def test_counts_a_model_that_is_only_recorded_as_used():
    tape = {"backend": "recorded", "model": "gpt-1", "family": "gpt", "timeout_s": 1}
    models = {"tape": {**tape, "cassette": "c.jsonl", "record": "gpt"}, "gpt": MODELS["gpt"]}
    ensemble = {"pattern": "jury", "jurors": [{"model": "tape"}]}
    config = Config.model_validate({"models": models, "ensembles": {"default": ensemble}})

    assert ["LONE_JUROR"] == [finding.code for finding in lint(config)]


def test_every_advice_says_what_to_do():
    assert [] == [code for code, text in ADVICE.items() if ";" not in text]
