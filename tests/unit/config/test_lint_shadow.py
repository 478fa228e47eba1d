"""The lint says of a shadow why it could tell nothing, or not of prose."""

import pytest

from services.config.lint import lint
from services.config.tree import Config
from tests.unit.config.linted import MODELS, found, model

SHADOW = {"share": 0.1, "max_usd_per_day": 1.0}
FREE = {"price": {}, "base_url": "http://127.0.0.1/v1"}


def route(*tiers, shadow, **changes):
    return {
        "pattern": "cascade",
        "tiers": [
            {"name": f"tier-{nth}", "jurors": [{"model": name} for name in names]}
            for nth, names in enumerate(tiers)
        ],
        "judge": {"models": ["qwen"]},
        "default_timeout_s": 20,
        "shadow": shadow,
        **changes,
    }


def test_is_silent_about_a_shadow_that_can_tell():
    assert [] == found(route(["gpt"], ["claude"], shadow=SHADOW))


def test_warns_of_one_tier():
    ensemble = route(["gpt", "claude"], shadow=SHADOW)

    assert [("SHADOW_WITHOUT_CHOICE", "ensembles.default.shadow")] == found(ensemble)


def test_warns_of_a_budget_that_pays_for_nobody():
    ensemble = route(["gpt"], ["claude"], shadow={"share": 0.1})

    where = "ensembles.default.shadow.max_usd_per_day"
    assert [("SHADOW_WITHOUT_BUDGET", where)] == found(ensemble)


def test_needs_no_budget_where_the_cheaper_tiers_cost_nothing():
    ensemble = route(["mini"], ["claude"], shadow={"share": 0.1})

    assert [] == found(ensemble, mini=model("mini", **FREE))


@pytest.mark.parametrize(
    "judges",
    [
        pytest.param({"judge": None}, id="nobody"),
        pytest.param({"judge": {"models": ["kin"]}}, id="of the cheaper tier's family"),
    ],
)
def test_warns_where_nobody_may_compare_prose(judges):
    ensemble = route(["gpt"], ["claude"], shadow=SHADOW, **judges)

    codes = [each for each in found(ensemble, kin=model("gpt", model="kin")) if "SHADOW" in each[0]]

    assert [("SHADOW_WITHOUT_JUDGE", "ensembles.default.shadow.judges")] == codes


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"shadow": {**SHADOW, "judges": []}}, id="said so"),
        pytest.param({"aggregate": {"method": "plurality"}}, id="ballots are counted"),
        pytest.param({"aggregate": {"method": "fieldwise"}}, id="fields are counted"),
    ],
)
def test_where_no_answer_is_prose_nobody_has_to_compare_any(changes):
    ensemble = route(["gpt"], ["claude"], **{"shadow": SHADOW, "judge": None, **changes})

    assert [] == found(ensemble)


def test_a_judge_of_the_shadow_may_compare_though_the_ensemble_has_none():
    ensemble = route(["gpt"], ["claude"], shadow={**SHADOW, "judges": ["qwen"]}, judge=None)

    assert [] == found(ensemble)


def test_a_juror_compares_no_answers_of_its_own_jury():
    ensemble = route(["gpt"], ["claude"], shadow={**SHADOW, "judges": ["claude"]})

    assert [("SHADOW_WITHOUT_JUDGE", "ensembles.default.shadow.judges")] == found(ensemble)


def test_warns_where_nothing_is_recorded():
    ensembles = {"default": route(["gpt"], ["claude"], shadow=SHADOW)}
    config = Config.model_validate(
        {"models": MODELS, "ensembles": ensembles, "ledger": {"mode": "off"}}
    )

    told = [(each.code, each.where) for each in lint(config)]

    assert ("SHADOW_WITHOUT_LEDGER", "ensembles.default.shadow") in told
