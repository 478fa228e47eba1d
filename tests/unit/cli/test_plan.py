"""`gremium plan` prints how a question would be cut, without a key, a network or a model."""

import json

import pytest
import yaml

from services.cli import __main__ as command

MODEL = {"backend": "openai", "family": "f", "timeout_s": 20, "expected_latency_s": 1.0}
MODELS = {
    "good": {**MODEL, "model": "g", "adequacy": 0.97, "price": {"output_usd_per_mtok": 15}},
    "cheap": {**MODEL, "model": "c", "adequacy": 0.3},
}
TEAM = {
    "pattern": "specialists",
    "specialists": {"scholar": {"model": "good"}},
    "direct": {"model": "cheap"},
    "merge": {"model": "good"},
    "planner": {"model": "good"},
}
GRAPH = {
    "pattern": "specialists",
    "steps": {
        "facts": {"model": "cheap", "goal": "Facts of {prompt}"},
        "risks": {"model": "cheap", "depends_on": ["facts"], "required": False},
        "end": {"model": "good", "depends_on": ["facts", "risks"], "on_fail": "retry"},
    },
}
QUESTION = "1. What is the capital of France?\n2. Who wrote Emma?"


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run `gremium plan` in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(key, raising=False)

    def plan(*arguments, ensemble=TEAM):
        config = {"models": MODELS, "ensembles": {"main": ensemble}}
        (tmp_path / "gremium.yaml").write_text(yaml.safe_dump(config))
        monkeypatch.setattr("sys.argv", ["gremium", "plan", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return plan


def test_parts_stand_below_the_answer_and_the_gate_says_its_numbers(run):
    code, out, _ = run(QUESTION)

    assert 0 == code
    assert out.startswith(
        "plan     parts that rules found: cut into 2 steps: one call is predicted"
    )
    assert "gate     one call 0." in out
    assert "answer: written by good" in out
    assert "part2: scholar (good), adequate 0.9" in out
    assert "Who wrote Emma?" in out


def test_a_question_without_parts_is_one_call_and_the_planner_is_left_alone(run):
    _, out, _ = run("Tell me of bees.")

    assert "plan     one call: answered whole: " in out
    assert "direct: cheap" in out
    assert "planner  " not in out


def test_a_step_that_two_read_stands_once(run):
    _, out, _ = run("Bees?", ensemble=GRAPH)

    assert out.startswith("plan     the configured steps: 3 steps, 3 in a row, up to 1 at once")
    assert 1 == out.count("facts: cheap")
    assert 1 == out.count("facts (see above)")
    assert "optional" in out
    assert "on failure retry" in out


def test_a_plan_can_be_read_by_programs(run):
    _, out, _ = run(QUESTION, "--json")

    plan = json.loads(out)["plan"]
    assert ["part1", "part2"] == [step["id"] for step in plan["steps"]]
    assert plan["gate"]["pays"]


def test_an_ensemble_without_steps_is_an_error(run):
    jury = {"pattern": "jury", "jurors": [{"model": "good"}, {"model": "cheap"}]}

    code, _, err = run("Hi", ensemble=jury)

    assert 1 == code
    assert "INVALID_PLAN" in err
