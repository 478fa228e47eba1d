"""An answer that cannot be used says why, so that it is no vote."""

import pytest

from services.core.answers import FinishReason, ModelReply
from services.core.prompts import Message, OutputFormat, Prompt, Tool, ToolCall
from services.core.usable import Unusable, vote_of

STOP, LENGTH, FILTER = FinishReason.STOP, FinishReason.LENGTH, FinishReason.CONTENT_FILTER
TEXT, JSON = OutputFormat(), OutputFormat("json")
LABELS, NUMBER = OutputFormat("labels", labels=("yes", "no")), OutputFormat("number")
MAY = OutputFormat("labels", labels=("yes", "no"), may_abstain=True)


def reason(text, finish=STOP, form=TEXT, *, calls=(), tools=()):
    prompt = Prompt((Message("user", ("?",)),), tools=tools, output_format=form)
    found = vote_of(ModelReply(text, calls, finish), prompt)
    return found.reason if isinstance(found, Unusable) else None


@pytest.mark.parametrize(
    ("text", "finish", "form", "expected"),
    [
        pytest.param("", STOP, TEXT, "EMPTY", id="empty"),
        pytest.param(" \n\t", STOP, TEXT, "EMPTY", id="whitespace"),
        pytest.param("\u200b\u2060 \ufeff\u00ad", STOP, TEXT, "EMPTY", id="zero-width"),
        pytest.param("\u200b", STOP, NUMBER, "EMPTY", id="zero-width number"),
        pytest.param("\u200b", LENGTH, TEXT, "CUT_OFF", id="zero-width at the limit"),
        pytest.param("<think>a</think> ", STOP, TEXT, "EMPTY", id="only reasoning"),
        pytest.param("", LENGTH, TEXT, "CUT_OFF", id="limit spent on hidden reasoning"),
        pytest.param("<think>and so", STOP, TEXT, "CUT_OFF", id="unclosed reasoning"),
        pytest.param("Sure.\n<think>and", LENGTH, TEXT, "CUT_OFF", id="unclosed later"),
        pytest.param("I may", FILTER, TEXT, "FILTERED", id="filtered"),
        pytest.param("Paris is", LENGTH, TEXT, None, id="prose cut off"),
        pytest.param("Paris.", STOP, TEXT, None, id="prose"),
        pytest.param('{"a": [1', LENGTH, JSON, "CUT_OFF", id="JSON cut off"),
        pytest.param('{"a": [1', STOP, JSON, "NOT_JSON", id="no JSON"),
        pytest.param('{"a": 1}', LENGTH, JSON, None, id="JSON whole before the limit"),
        pytest.param("perhaps", STOP, LABELS, "UNKNOWN_LABEL", id="no label"),
        pytest.param("many", STOP, NUMBER, "NOT_A_NUMBER", id="no number"),
        pytest.param("I don't know.", STOP, NUMBER, "ABSTAINED", id="may not abstain"),
        pytest.param("I can't help with that.", STOP, LABELS, "REFUSED", id="may not decline"),
        pytest.param("I don't know.", STOP, MAY, None, id="may abstain"),
        pytest.param("I can't help with that.", STOP, MAY, None, id="may decline"),
        pytest.param("I don't know.", STOP, TEXT, None, id="prose that does not know"),
    ],
)
def test_says_why(text, finish, form, expected):
    assert expected == reason(text, finish, form)


def test_a_tool_call_needs_no_text():
    assert reason("", calls=(ToolCall("now", "{}"),), tools=(Tool("now"),)) is None


def test_a_tool_that_was_not_offered_is_no_vote():
    assert "UNKNOWN_TOOL" == reason("", calls=(ToolCall("then", "{}"),), tools=(Tool("now"),))


def test_arguments_cut_off_are_no_vote():
    assert "CUT_OFF" == reason("", LENGTH, calls=(ToolCall("now", "{"),), tools=(Tool("now"),))


def test_not_to_call_a_tool_is_an_answer():
    assert reason("None of them helps.", tools=(Tool("now"),)) is None


@pytest.mark.parametrize(("finish", "expected"), [(LENGTH, "CUT_OFF"), (STOP, None)])
def test_a_list_of_calls_that_nothing_closes_may_be_cut_off(finish, expected):
    assert expected == reason("[now()", finish, tools=(Tool("now"),))
