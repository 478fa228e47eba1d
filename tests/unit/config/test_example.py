"""The example at the root is what a newcomer copies: it loads, and the lint has nothing to say."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from services.config.lint import lint
from services.config.load import load
from services.config.schema import schema

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "gremium.example.yaml"
DEFAULTS = sorted((ROOT / "services/config").glob("embedded.yaml"))


def test_the_example_is_clean():
    assert [] == lint(load(EXAMPLE).config)


def test_the_example_shows_every_pattern_and_every_kind_of_backend_but_recordings():
    config = load(EXAMPLE).config

    assert {"route", "jury"} == {ensemble.pattern for ensemble in config.ensembles.values()}
    assert {"openai", "anthropic", "google", "local"} == {m.backend for m in config.models.values()}


@pytest.mark.parametrize("path", [EXAMPLE, *DEFAULTS], ids=lambda path: path.name)
def test_editors_agree_with_the_loader(path):
    validator = jsonschema.Draft202012Validator(yaml.safe_load(schema()))

    assert [] == [
        error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": {}, "ensembles": {}},
        {
            "models": {"a": {"backend": "openai", "model": "m", "family": "f"}},
            "ensembles": {"d": 1},
        },
    ],
)
def test_editors_mark_what_the_loader_refuses(wrong):
    assert not jsonschema.Draft202012Validator(yaml.safe_load(schema())).is_valid(wrong)
