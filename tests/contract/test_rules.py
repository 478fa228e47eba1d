"""What the comments of the contract promise of a prompt and an answer is refused when broken."""

import math

import pytest

from gremium.v1 import types_pb2
from services.core.errors import InvalidRequestError
from services.runtime.rules import check
from services.runtime.wire import prompt_from_wire, tools_from_wire

PART = types_pb2.Part
SYSTEM, USER, ASSISTANT, TOOL = (
    types_pb2.ROLE_SYSTEM,
    types_pb2.ROLE_USER,
    types_pb2.ROLE_ASSISTANT,
    types_pb2.ROLE_TOOL,
)
QUESTION = types_pb2.Message(role=USER, parts=[PART(text="Weather?")])


def turn(role, *parts):
    return types_pb2.Message(role=role, parts=parts)


def called(call_id):
    return turn(ASSISTANT, PART(tool_call=types_pb2.ToolCall(id=call_id, name="weather")))


def result(call_id):
    return turn(TOOL, PART(tool_result=types_pb2.ToolResult(tool_call_id=call_id, content="4")))


def prompt(*turns, **more):
    return types_pb2.Prompt(messages=turns or [QUESTION], **more)


def grounded(*ids):
    passages = [types_pb2.Passage(id=one, text="Water boils.") for one in ids]
    return prompt(grounding=types_pb2.Grounding(passages=passages))


def labelled(*labels):
    return prompt(output_format=types_pb2.OutputFormat(labels={"labels": labels}))


def pictured(**image):
    return prompt(turn(USER, PART(image=types_pb2.Image(**image))))


def tools(*names):
    return prompt(tools=[types_pb2.Tool(name=name) for name in names])


def answer(mean_logprob):
    return types_pb2.Answer(juror="a", mean_logprob=mean_logprob)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        pytest.param(tools("f", "g", "f"), "tools: tools must have different", id="tools"),
        pytest.param(
            grounded("p1", "p2", "p1"), "grounding.passages: .* different ids", id="passages"
        ),
        pytest.param(
            prompt(turn(SYSTEM, PART(text="Be brief."))),
            "messages: .* something to answer",
            id="instructions alone",
        ),
        pytest.param(
            prompt(turn(SYSTEM, PART(text="Be brief.")), turn(USER, PART(text=" \n"))),
            "messages: .* something to answer",
            id="a blank question",
        ),
        pytest.param(
            prompt(turn(ASSISTANT, PART(text="Hello!"))),
            "messages: .* something to answer",
            id="only a model speaks",
        ),
        pytest.param(labelled("Yes", "yes "), "labels: .* more than case", id="labels alike"),
        pytest.param(pictured(data=b"PNG"), "media_type", id="no media type"),
        pytest.param(pictured(data=b"PNG", media_type="text/html"), "media_type", id="no image"),
        pytest.param(pictured(data=b"PNG", media_type="image/"), "media_type", id="half a type"),
        pytest.param(pictured(url="file:///etc/passwd"), "url.*https://", id="a file"),
        pytest.param(pictured(url="http://a.example/b.png"), "url.*https://", id="in the clear"),
        pytest.param(pictured(url="ftp://a.example/b.png"), "url.*https://", id="another scheme"),
        pytest.param(answer(0.1), "mean_logprob", id="a probability above 1"),
        pytest.param(answer(math.nan), "mean_logprob", id="no number"),
        pytest.param(answer(-math.inf), "mean_logprob", id="not finite"),
    ],
)
def test_refuses(broken, problem):
    with pytest.raises(InvalidRequestError, match=problem):
        check(broken)


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param([result("c1")], id="no call"),
        pytest.param([called("c1"), result("c2")], id="another call"),
        pytest.param([result("c1"), called("c1")], id="a later call"),
        pytest.param([called("c1"), result("")], id="no id for a call that has one"),
        pytest.param([called(""), result(""), result("")], id="more results than calls"),
    ],
)
def test_refuses_a_result_without_its_call(turns):
    with pytest.raises(InvalidRequestError, match="names no earlier tool call"):
        prompt_from_wire(prompt(QUESTION, *turns))


def test_refuses_a_tool_whose_arguments_are_no_object():
    with pytest.raises(InvalidRequestError, match="must describe an object, not string"):
        tools_from_wire([types_pb2.Tool(name="f", parameters_schema_json='{"type": "string"}')])


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(prompt(), id="a question"),
        pytest.param(tools("f", "g"), id="tools"),
        pytest.param(grounded("p1", "p2"), id="passages"),
        pytest.param(labelled("yes", "no"), id="labels"),
        pytest.param(pictured(data=b"PNG", media_type="image/svg+xml"), id="image by value"),
        pytest.param(pictured(url="https://a.example/b.png"), id="image by address"),
        pytest.param(prompt(QUESTION, called("c1"), result("c1")), id="a result"),
        pytest.param(prompt(called("c1"), result("c1")), id="a result alone"),
        pytest.param(prompt(QUESTION, called(""), result("")), id="a result without an id"),
        pytest.param(
            prompt(tools=[types_pb2.Tool(name="f", parameters_schema_json='{"type": "object"}')]),
            id="arguments",
        ),
        pytest.param(
            prompt(tools=[types_pb2.Tool(name="f", parameters_schema_json='{"minProperties": 1}')]),
            id="arguments of no declared type",
        ),
    ],
)
def test_accepts(sound):
    check(sound)

    assert len(sound.messages) == len(prompt_from_wire(sound).messages)


@pytest.mark.parametrize("mean_logprob", [0.0, -1.5])
def test_accepts_a_log_probability(mean_logprob):
    assert check(answer(mean_logprob)) is None
