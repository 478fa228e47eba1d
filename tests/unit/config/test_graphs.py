"""Steps that cannot be run are refused where they stand in the file."""

import pytest

from services.config.lint import lint
from services.config.load import load
from services.config.problems import ConfigError

HEAD = """\
models:
  m: {backend: openai, model: m, family: f, timeout_s: 5}
ensembles:
  main:
    pattern: specialists
"""
VALID = """\
    steps:
      search:
        retrieval: {folder: docs}
      answer:
        model: m
        goal: "{prompt} {search}"
        depends_on: [search]
    merge: {template: "{answer}"}
"""


@pytest.fixture
def problems(tmp_path):
    def found(text):
        path = tmp_path / "gremium.yaml"
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            load(path)
        return [(problem.line, problem.message) for problem in caught.value.problems]

    return found


def test_a_graph_that_can_be_run_is_taken(tmp_path):
    path = tmp_path / "gremium.yaml"
    path.write_text(HEAD + VALID)

    assert ["search", "answer"] == list(load(path).config.ensembles["main"].steps)


def test_a_step_that_is_not_alone_in_the_answer_may_be_optional(tmp_path):
    path = tmp_path / "gremium.yaml"
    optional = VALID.replace("docs}", "docs}\n        required: false")
    path.write_text(HEAD + optional.replace('"{answer}"', '"{answer} {search}"'))

    required = [s.required for s in load(path).config.ensembles["main"].steps.values()]
    assert [False, True] == required


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            "[search]", "[nobody, search]", 9, "`answer` reads the step `nobody`", id="missing"
        ),
        pytest.param(
            "{folder: docs}",
            "{folder: docs}\n        depends_on: [answer]",
            7,
            "search -> answer -> search",
            id="cycle",
        ),
        pytest.param(
            "        depends_on: [search]",
            "        depends_on: [search]\n        required: false",
            13,
            "the answer is made of `answer` alone, which must be required",
            id="optional answer",
        ),
        pytest.param(
            '{template: "{answer}"}',
            '{template: "{search}"}',
            9,
            "the output of `answer` never reaches",
            id="unreachable",
        ),
        pytest.param(
            '{template: "{answer}"}',
            '{template: "{anwser}"}',
            4,
            "the merge reads the step `anwser`",
            id="merge",
        ),
        pytest.param(
            "{prompt} {search}",
            "{question}",
            11,
            "`{question}` is the output of no step",
            id="goal",
        ),
        pytest.param(
            "        model: m\n", "        model: mm\n", 10, "no model is called `mm`", id="model"
        ),
        pytest.param(
            "        model: m\n",
            "        ensemble: pannel\n",
            10,
            "no ensemble is called `pannel`",
            id="ensemble",
        ),
        pytest.param(
            "        model: m\n",
            "        model: m\n        ensemble: main\n",
            9,
            "exactly one of `model`, `ensemble` and",
            id="two",
        ),
        pytest.param(
            "        model: m\n",
            "        ensemble: main\n",
            6,
            "ask each other: main -> main",
            id="ring",
        ),
        pytest.param(
            '{template: "{answer}"}',
            "{}",
            13,
            "exactly one of `template` and `model`",
            id="no merge",
        ),
        pytest.param(
            "      answer:", "      merge:", 9, "may not be called `merge`", id="reserved"
        ),
        pytest.param(
            "[search]",
            "[search]\n        output_format: {json_schema: {type: nonsense}}",
            13,
            "output_format",
            id="shape",
        ),
    ],
)
def test_points_to_the_line(problems, old, new, line, message):
    found = problems(HEAD + VALID.replace(old, new, 1))

    assert [line] == sorted({at for at, told in found if message in told}), found


def findings(tmp_path, *, judge):
    path = tmp_path / "gremium.yaml"
    models = HEAD.replace(
        "ensembles:",
        "  j: {backend: recorded, cassette: c, model: j, family: g, timeout_s: 5}\nensembles:",
    )
    first = VALID.replace("retrieval: {folder: docs}", "model: j")
    path.write_text(f"{models}{first}    judge: {{models: [{judge}]}}\n")
    return [(finding.code, finding.where) for finding in lint(load(path).config)]


def test_a_judge_may_have_worked_on_an_earlier_step(tmp_path):
    assert not [found for found in findings(tmp_path, judge="j") if "JUDGE" in found[0]]


def test_a_judge_that_wrote_the_answer_is_found(tmp_path):
    where = "ensembles.main.judge.models"
    assert ("JUDGE_IN_JURY", where) in findings(tmp_path, judge="m")


TEAM = """\
    specialists: {writer: {model: m}}
    direct: {model: m}
    merge: {model: m}
    planner: {model: m}
"""
PAIR = """\
    steps: {a: {model: m}, b: {model: m}, c: {model: m, depends_on: [a, b]}}
"""


def test_specialists_are_taken_instead_of_steps(tmp_path):
    path = tmp_path / "gremium.yaml"
    path.write_text(HEAD + TEAM)

    config = load(path).config

    assert ["PRICE_MISSING"] == [finding.code for finding in lint(config)]
    assert {"m"} == {j.model for t in config.ensembles["main"].tiers for j in t.jurors}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("    merge: {model: m}\n", "exactly one of `steps` and `spec", id="neither"),
        pytest.param(TEAM + PAIR, "exactly one of `steps` and `specialists`", id="both"),
        pytest.param(
            TEAM.replace("    direct: {model: m}\n", ""), "need `direct` and", id="no direct"
        ),
        pytest.param(TEAM.replace("writer: {model: m}", "w: {}"), "exactly one of", id="nobody"),
        pytest.param(
            TEAM.replace("planner: {model: m}", "planner: {model: x}"), "no model", id="planner"
        ),
        pytest.param(PAIR + "    gate: true\n", "`gate: true` and `direct` need", id="gate"),
        pytest.param(PAIR + "    planner: {model: m}\n", "the `steps` are the plan", id="plan"),
        pytest.param(
            PAIR + "    quorums: [{steps: [a, x], needed: 1}]\n", "no steps: ['x']", id="quorum"
        ),
        pytest.param(
            PAIR + "    quorums: [{steps: [a, b], needed: 2}]\n", "fewer must be", id="all needed"
        ),
        pytest.param(
            PAIR.replace("b: {model: m}", "b: {model: m, on_fail: fallback}"),
            "need each other",
            id="no fallback",
        ),
        pytest.param(
            PAIR.replace("b: {model: m}", "b: {model: m, on_fail: skip}"),
            "is not for a step that is required",
            id="skip",
        ),
        pytest.param(
            PAIR.replace("c: {model: m,", 'c: {model: m, goal: "{a.x}",'),
            "no field that the `json_schema` of `a`",
            id="field",
        ),
    ],
)
def test_what_makes_no_plan_is_refused(problems, text, problem):
    assert any(problem in message for _, message in problems(HEAD + text))
