"""A policy has what it needs, names what there is, and nobody is asked who may not be."""

import pytest
from pydantic import ValidationError

from services.config.tree import Config

MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5.0}


def tiers(*names):
    return [{"name": name, "jurors": [{"model": name}]} for name in names]


def config(*, policy=None, tier_names=("small", "large"), budgets=None, eu=(), **ensemble):
    models = {name: {**MODEL, "region": "eu" if name in eu else ""} for name in ("small", "large")}
    main = {"pattern": "route", "tiers": tiers(*tier_names), **ensemble}
    if policy:
        main["policy"] = policy
    return Config.model_validate(
        {"models": models, "ensembles": {"main": main}, "budgets": budgets or {}}
    )


DAY = {"day": {"max_usd": 1.0, "per": "day"}}


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        pytest.param({"rule": "budget"}, "needs `budget`", id="budget without one"),
        pytest.param({"rule": "strong_share"}, "needs `share`", id="share without one"),
        pytest.param({"rule": "fixed"}, "needs `tier`", id="fixed without a tier"),
        pytest.param({"share": 0.5}, "only for `rule: strong_share`", id="share of another rule"),
        pytest.param({"rule": "fixed", "tier": "huge"}, "names tier 'huge'", id="no such tier"),
        pytest.param({"novel_tier": "huge"}, "names tier 'huge'", id="no such novel tier"),
        pytest.param({"rule": "budget", "budget": "week"}, "no such budget", id="no such budget"),
        pytest.param({"explore": {}}, "only for `rule: utility`", id="nothing to weigh"),
        pytest.param({"rule": "utility", "explore": {}}, "add `judge`", id="nothing to learn from"),
    ],
)
def test_refuses(policy, problem):
    with pytest.raises(ValidationError, match=problem):
        config(policy=policy, budgets=DAY)


def test_a_share_needs_two_tiers_of_one_juror_each():
    with pytest.raises(ValidationError, match="two tiers of one juror each"):
        config(policy={"rule": "strong_share", "share": 0.3}, tier_names=("small",))


def test_a_budget_must_cover_the_ensemble_that_follows_it():
    elsewhere = {"day": {**DAY["day"], "ensembles": ["other"]}}
    other = {"pattern": "route", "tiers": tiers("small")}
    main = {**other, "policy": {"rule": "budget", "budget": "day"}}
    with pytest.raises(ValidationError, match="does not cover it"):
        Config.model_validate(
            {
                "models": {"small": MODEL},
                "ensembles": {"main": main, "other": other},
                "default_ensemble": "main",
                "budgets": elsewhere,
            }
        )


def test_nothing_is_tried_unless_it_is_asked_for():
    plain, asked = (
        config(policy={"rule": "utility", **more}, judge={"models": ["large"]})
        for more in ({}, {"explore": {}})
    )

    assert plain.ensembles["main"].policy.explore is None
    assert ("linucb", 0.02) == (
        asked.ensembles["main"].policy.explore.rule,
        asked.ensembles["main"].policy.explore.forced,
    )


def test_accepts_what_has_all_it_needs():
    policy = {"rule": "budget", "budget": "day", "novel_tier": "large"}

    assert "day" == config(policy=policy, budgets=DAY).ensembles["main"].policy.budget


def test_a_judge_outside_the_allowed_regions_is_refused():
    with pytest.raises(ValidationError, match="may not ask 'large': where it is served is not"):
        config(eu=("small",), allow={"regions": ["eu"]}, judge={"models": ["large"]})


def test_a_juror_outside_them_is_left_to_the_router():
    assert config(eu=("small",), allow={"regions": ["eu"]})
