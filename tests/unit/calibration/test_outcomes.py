"""A file of labelled outcomes is read as the aggregator counts, or the fault is named by line."""

import json

import pytest

from services.calibration.labels import labelled
from services.calibration.outcomes import Line, OutcomesError, outcome_of, read_outcomes
from services.core.canonical import DECLINED, NO_CALL

WEATHER = {
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def outcome(**fields):
    return outcome_of(Line.model_validate({"id": "q1", "ensemble": "main", **fields}))


def written(path, *lines):
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    )
    return path


def test_answers_are_compared_as_they_are_when_served():
    found = outcome(
        answers={"a": "The answer is 1,000.", "b": "1000", "c": "7", "d": None},
        output_format={"number": True},
        gold="1e3",
    )

    assert {"a": True, "b": True, "c": False, "d": False} == found.right
    assert found.keys["a"] == found.keys["b"] != found.keys["c"]
    assert "" == found.keys["d"]


@pytest.mark.parametrize(
    ("said", "gold", "wanted"),
    [
        pytest.param(["0.3333333", "0.33"], "1/3", [True, False], id="gold within the tolerance"),
        pytest.param(["1.000002", "1.0000029"], "1.000001", [True, True], id="all of a class"),
        pytest.param(["1.0000029", "1.0000012"], "1.000002", [False, True], id="the nearest class"),
        pytest.param(["41", "43"], "42", [False, False], id="nobody's"),
    ],
)
def test_numbers_count_as_the_same_within_the_tolerance(said, gold, wanted):
    found = outcome(
        answers=dict(zip("ab", said, strict=True)), output_format={"number": True}, gold=gold
    )

    assert wanted == [found.right["a"], found.right["b"]]


def test_answers_within_the_tolerance_are_one_class():
    found = outcome(
        answers={"a": "0.3333333", "b": "0.33333333", "c": "1/2"},
        output_format={"number": True},
        correct={"b": True},
    )

    assert {"a": True, "b": True, "c": False} == found.right


def test_a_label_of_one_juror_holds_for_all_who_answered_the_same():
    found = outcome(ballots={"a": "x", "b": "x", "c": "y"}, correct={"a": True})

    assert {"a": True, "b": True, "c": False} == found.right


def test_that_an_answer_is_wrong_leaves_open_which_of_the_others_is_right():
    assert outcome(ballots={"a": "x", "b": "y"}, correct={"a": False}).right is None
    assert labelled({"a": "x", "b": ""}, {"a": False}, None) == {"a": False, "b": False}


def test_calling_no_tool_is_a_class_of_its_own():
    call = {"tool_calls": [{"name": "weather", "arguments": {"city": "Bonn"}}]}
    found = outcome(
        answers={"a": call, "b": "Nothing fits.", "c": "None of them."},
        tools=[WEATHER],
        gold="no tool",
    )

    assert (NO_CALL.key, NO_CALL.key) == (found.abstain_key, found.keys["b"])
    assert {"a": False, "b": True, "c": True} == found.right


@pytest.mark.parametrize(
    ("form", "decline"),
    [
        pytest.param({"labels": ["A", "B"], "may_abstain": True}, DECLINED.key, id="may"),
        pytest.param({"labels": ["A", "unknown"]}, None, id="a label says so"),
        pytest.param({"labels": ["A", "B"]}, "", id="may not"),
        pytest.param({"json_schema": {"type": ["object", "null"]}}, DECLINED.key, id="null"),
    ],
)
def test_to_decline_is_a_class_of_its_own(form, decline):
    found = outcome(
        answers={"a": "A", "b": "unknown", "c": "null"}, output_format=form, correct={"a": True}
    )

    assert "" == found.abstain_key
    assert found.decline_key == (found.keys["b"] if decline is None else decline)


def test_what_is_right_may_be_to_decline():
    found = outcome(
        answers={"a": "A", "b": "I don't know.", "c": "I can't help with that."},
        output_format={"labels": ["A", "B"], "may_abstain": True},
        gold="unknown",
    )

    assert {"a": False, "b": True, "c": True} == found.right


def test_a_ballot_may_stand_for_declining():
    found = outcome(ballots={"a": "x", "b": "?"}, declines="?", abstains="-", gold="x")

    assert ("-", "?") == (found.abstain_key, found.decline_key)


def test_a_tier_has_a_pool_of_its_own():
    fields = {"ballots": {"a": "x"}, "gold": "x"}

    assert ["main", "main/large"] == [outcome(**fields).pool, outcome(tier="large", **fields).pool]


LABELLED = {"id": "q1", "ensemble": "main", "ballots": {"a": "x"}, "gold": "x"}


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        pytest.param(["{"], ":1: is no JSON", id="no JSON"),
        pytest.param([{**LABELLED, "gold": None}], "needs labels", id="no labels"),
        pytest.param([{**LABELLED, "answers": {"a": "x"}}], "either `answers` or", id="both"),
        pytest.param([{**LABELLED, "correct": {"z": True}}], "['z'] gave no answer", id="stranger"),
        pytest.param([{**LABELLED, "jury": 1}], ":1: jury: extra inputs", id="unknown field"),
        pytest.param(
            [LABELLED, "", LABELLED], ":3: id: 'q1' stands in line 1, too", id="stands twice"
        ),
        pytest.param(
            [{"id": "1", "ensemble": "m", "answers": {"a": "x"}, "gold": "?", "output_format": {"number": True}}],
            "gold: is no answer",
            id="gold that is none",
        ),
        pytest.param(
            [{**LABELLED, "audited": {"juror": "a", "signals": {"judge": "high"}}}],
            "audited.signals.judge: input should be a valid number",
            id="signal that is no number",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_field(tmp_path, lines, fault):
    path = written(tmp_path / "outcomes.jsonl", *lines)

    with pytest.raises(OutcomesError) as raised:
        read_outcomes(path)

    assert str(path) in str(raised.value)
    assert fault in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OutcomesError, match=r"none\.jsonl: cannot be read"):
        read_outcomes(tmp_path / "none.jsonl")
