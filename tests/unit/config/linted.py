"""Configurations that the lint has nothing against, to be spoilt by a test."""

from services.config.lint import lint
from services.config.tree import Config

PAID = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}


def model(family: str, **changes):
    plain = {"backend": "openai", "model": f"{family}-1", "family": family, "provider": family}
    return {**plain, "timeout_s": 10, "price": PAID, **changes}


MODELS = {name: model(name) for name in ("gpt", "claude", "gemini", "qwen")}


def jury(*jurors: str, **changes):
    return {
        "pattern": "jury",
        "jurors": [{"model": name, "name": f"j{index}"} for index, name in enumerate(jurors)],
        "judge": {"models": ["qwen"]},
        "default_timeout_s": 20,
        **changes,
    }


def found(ensemble, **models):
    """Code and place of each finding, without the models that the ensemble leaves unused."""
    config = Config.model_validate(
        {"models": {**MODELS, **models}, "ensembles": {"default": ensemble}}
    )
    return [(f.code, f.where) for f in lint(config) if f.code != "UNUSED_MODEL"]
