"""No secret leaves by the page of the configuration, wherever it stands."""

import pytest

from services.config.load import load
from services.gateway.console.configured import HIDDEN, shown, without_secrets

TOKEN = "sk-" + "a1B2" * 8


@pytest.mark.parametrize(
    "said",
    [
        {"api_key": "anything"},
        {"nested": [{"password": "anything"}]},
        {"note": f"use {TOKEN} here"},
        {"header": "Bearer abcdefgh12345"},
        {"base_url": "https://me:anything@models.example/v1"},
        {"base_url": "https://models.example/v1?key=anything&x=1"},
        ["AKIA" + "A" * 16],
    ],
)
def test_what_looks_like_a_secret_is_hidden(said):
    told = str(without_secrets(said))

    assert HIDDEN in told
    assert "anything" not in told
    assert TOKEN not in told
    assert "abcdefgh12345" not in told


def test_what_is_none_stays():
    said = {
        "api_key_env": "OPENAI_API_KEY",
        "base_url": "http://127.0.0.1:1/v1",
        "n": 3,
        "on": True,
    }

    assert said == without_secrets(said)


def test_the_configuration_is_shown_as_it_was_taken(tmp_path):
    path = tmp_path / "gremium.yaml"
    path.write_text(
        "models:\n  m: {backend: openai, model: m, family: f, timeout_s: 5,"
        " base_url: 'https://models.example/v1?token=anything'} # sk-in-a-comment-0123456789\n"
        "ensembles:\n  main: {pattern: jury, jurors: [{model: m}]}\n"
    )

    text = shown(load(path))

    assert "timeout_s: 5.0" in text
    assert "anything" not in text
    assert "sk-in-a-comment" not in text
