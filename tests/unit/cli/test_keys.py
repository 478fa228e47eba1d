"""Whoever starts a mesh is told which of its models cannot be asked."""

import pytest

from services.cli.keys import told_of_keys
from services.config.tree import Config

MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5}
CONFIG = Config.model_validate(
    {
        "models": {
            "a": {**MODEL, "api_key_env": "ONE"},
            "b": {**MODEL, "api_key_env": "ONE"},
            "c": {**MODEL, "api_key_env": "TWO"},
            "own": MODEL,
        },
        "ensembles": {"main": {"pattern": "jury", "jurors": [{"model": "a"}]}},
    }
)


@pytest.mark.parametrize("env", [{}, {"ONE": " "}], ids=["unset", "blank"])
def test_names_each_key_once_with_its_models(env):
    assert [
        "ONE is not set, so nobody can ask a, b",
        "TWO is not set, so nobody can ask c",
    ] == told_of_keys(CONFIG, env)


def test_says_nothing_where_all_are_there():
    assert [] == told_of_keys(CONFIG, {"ONE": "x", "TWO": "y"})
