"""`gremium route` shows a decision without a key, a network or a model."""

import json

import pytest
import yaml

from services.cli import __main__ as command

MODEL = {"backend": "openai", "family": "f", "timeout_s": 20, "expected_latency_s": 1.0}
CONFIG = {
    "models": {
        "small": {**MODEL, "model": "s", "adequacy": 0.8, "price": {"output_usd_per_mtok": 0.4}},
        "large": {**MODEL, "model": "l", "adequacy": 0.9, "price": {"output_usd_per_mtok": 15}},
        "far": {**MODEL, "model": "f", "adequacy": 0.9, "region": "us"},
    },
    "ensembles": {
        "main": {
            "pattern": "route",
            "tiers": [{"name": n, "jurors": [{"model": n}]} for n in ("small", "large", "far")],
            "allow": {"labels": []},
        },
        "panel": {"pattern": "jury", "jurors": [{"model": "small"}, {"model": "large"}]},
    },
    "default_ensemble": "main",
}


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run `gremium route` in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(key, raising=False)

    def route(*arguments, allow=None):
        config = json.loads(json.dumps(CONFIG))
        config["ensembles"]["main"]["allow"] = allow or {}
        (tmp_path / "gremium.yaml").write_text(yaml.safe_dump(config))
        monkeypatch.setattr("sys.argv", ["gremium", "route", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return route


def test_says_who_comes_first_and_why(run):
    code, out, _ = run("What is a cat?")

    assert 0 == code
    assert out.startswith("far → large: cheapest tier whose predicted adequacy 0.9")
    assert "learned  nothing" in out
    assert all(name in out for name in ("small", "large", "far"))


def test_says_who_is_left_out(run):
    _, out, _ = run("What is a cat?", allow={"regions": ["us"]})

    assert "left out small/small REGION: where it is served is not configured; us is" in out


def test_as_json_it_is_the_decision_of_the_contract(run):
    code, out, _ = run("--json", "--ensemble", "panel", "What is a cat?")
    decision = json.loads(out)

    assert (0, "ROUTE_REASON_JURY") == (code, decision["reason"])
    assert ["small", "large"] == [each["name"] for each in decision["candidates"]]


def test_when_nobody_is_left_it_names_each_reason(run):
    code, _, err = run("--juror-time", "0.5", "What is a cat?")

    assert 1 == code
    assert err.count("LATENCY: it usually takes 1.0 s; 0.5 s are left") == 3
    assert "[NO_ELIGIBLE_TIER]" in err


def test_shapes_exclude_each_other(run):
    code, _, err = run("--number", "--label", "a", "--label", "b", "Why?")

    assert 1 == code
    assert "exclude each other" in err
