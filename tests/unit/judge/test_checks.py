"""What needs no model is checked without one, and only certain faults are vetoes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_svc.checks import Outcome, checked
from services.core.answers import Answer, FinishReason
from services.core.errors import InvalidRequestError
from services.core.prompts import OutputFormat, Tool, ToolCall
from tests.unit.judge.cases import answer, prompt

JSON = OutputFormat("json", schema={"type": "object", "required": ["city"]})
LABELS = OutputFormat("labels", labels=("yes", "no"))
WEATHER = Tool(
    "get_weather",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
)


def results(asked, given_answer):
    return {check.name: check for check in checked(asked, given_answer)}


def failed(asked, given_answer):
    return [check.name for check in checked(asked, given_answer) if check.failed]


def vetoes(asked, given_answer):
    return [check.name for check in checked(asked, given_answer) if check.vetoes]


def calls(name="get_weather", arguments='{"city": "Paris"}'):
    return answer("", tool_calls=(ToolCall(name, arguments),), finish=FinishReason.TOOL_CALLS)


def test_a_good_answer_fails_nothing():
    assert failed(prompt(), answer("6 x 7 = 42, so it is 42.")) == []


@pytest.mark.parametrize(
    ("asked", "given_answer", "expected"),
    [
        pytest.param(prompt(), answer(""), "emptiness", id="empty"),
        pytest.param(prompt(), answer(" \n\t"), "emptiness", id="whitespace"),
        pytest.param(prompt(), answer("<think>Let me see"), "emptiness", id="only reasoning"),
        pytest.param(
            prompt(), answer("Hm", finish=FinishReason.CONTENT_FILTER), "finish", id="withheld"
        ),
        pytest.param(prompt(), answer("I'm sorry, I can't help with that."), "refusal", id="no"),
        pytest.param(prompt(output_format=JSON), answer('{"a": 1}'), "schema", id="schema"),
        pytest.param(prompt(output_format=JSON), answer("Paris"), "schema", id="no JSON"),
        pytest.param(prompt(output_format=LABELS), answer("perhaps"), "label", id="label"),
        pytest.param(
            prompt(output_format=OutputFormat("number")), answer("many"), "number", id="number"
        ),
        pytest.param(prompt(tools=(WEATHER,)), calls("get_news"), "tools", id="unknown tool"),
        pytest.param(prompt(tools=(WEATHER,)), calls(arguments="{}"), "tools", id="no argument"),
        pytest.param(
            prompt(tools=(WEATHER,)), calls(arguments='{"city": [1]}'), "tools", id="wrong type"
        ),
        pytest.param(prompt(), calls(), "tools", id="no tools offered"),
        pytest.param(prompt("How much?"), answer("2 + 2 = 5"), "arithmetic", id="arithmetic"),
        pytest.param(
            prompt(passages=[("p1", "It is high.")]), answer("High [p7]."), "citations", id="cited"
        ),
        pytest.param(prompt(), answer("AKIA" + "Q3EXAMPLEZ7PLKQM"), "secrets", id="secret"),
        pytest.param(prompt(), answer("4539 5787 6362 1486"), "pii", id="card"),
        pytest.param(prompt(), answer("Just kill yourself."), "incitement", id="incitement"),
    ],
)
def test_vetoes(asked, given_answer, expected):
    assert vetoes(asked, given_answer) == [expected]


@pytest.mark.parametrize(
    ("asked", "given_answer", "expected"),
    [
        pytest.param(
            prompt(), answer("Because", finish=FinishReason.LENGTH), "finish", id="cut off"
        ),
        pytest.param(
            prompt(passages=[("p1", "330 m")]), answer("It is 324 m."), "numbers", id="numbers"
        ),
    ],
)
def test_is_evidence_but_no_veto(asked, given_answer, expected):
    assert failed(asked, given_answer) == [expected]
    assert vetoes(asked, given_answer) == []


@pytest.mark.parametrize(
    ("asked", "given_answer"),
    [
        pytest.param(prompt(output_format=JSON), answer('{"city": "Paris"}'), id="schema"),
        pytest.param(prompt(output_format=LABELS), answer("Yes"), id="label"),
        pytest.param(prompt(output_format=OutputFormat("number")), answer("42"), id="number"),
        pytest.param(prompt(tools=(WEATHER,)), calls(), id="tools"),
        pytest.param(prompt(tools=(WEATHER,)), answer("It rains."), id="no call needed"),
    ],
)
def test_accepts(asked, given_answer):
    assert failed(asked, given_answer) == []


def test_a_refusal_fails_as_nothing_else():
    asked = prompt(output_format=JSON)
    found = results(asked, answer("I'm sorry, but I can't help with that."))

    assert found["refusal"].failed
    assert found["schema"].outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("text", ["I'm sorry, but I can't help with that.", "I don't know."])
@pytest.mark.parametrize("kind", ["text", "labels", "json", "number"])
def test_to_decline_is_no_fault_where_it_may(kind, text):
    asked = prompt(
        output_format=OutputFormat(
            kind,
            labels=("yes", "no") if kind == "labels" else (),
            schema={"type": "object"} if kind == "json" else None,
            may_abstain=True,
        )
    )

    assert failed(asked, answer(text)) == []
    assert results(asked, answer(text))["refusal"].outcome is Outcome.NOT_APPLICABLE


def test_a_translated_refusal_is_none():
    asked = prompt("Translate into German: I'm sorry, but I can't help with that.")

    assert failed(asked, answer("Es tut mir leid, dabei kann ich nicht helfen.")) == []


def test_a_secret_in_an_argument_is_one():
    leaked = '{"city": "AKIA' + 'Q3EXAMPLEZ7PLKQM"}'

    assert vetoes(prompt(tools=(WEATHER,)), calls(arguments=leaked)) == ["secrets"]


def test_scores_how_many_numbers_stand_in_the_passages():
    asked = prompt("How high?", passages=[("p1", "330 m, opened 1889")])
    found = results(asked, answer("It is 324 m and opened 1889."))

    assert found["numbers"].score == 0.5
    assert found["numbers"].evidence == "324 stands in no passage"


def test_a_schema_that_is_none_is_the_callers_mistake():
    broken = OutputFormat("json", schema={"type": 7})
    with pytest.raises(InvalidRequestError):
        checked(prompt(output_format=broken), answer("{}"))


@given(st.text(max_size=200), st.sampled_from(list(FinishReason)))
def test_is_deterministic(text, finish):
    given_answer = Answer("a", text, finish_reason=finish)

    assert checked(prompt(), given_answer) == checked(prompt(), given_answer)
