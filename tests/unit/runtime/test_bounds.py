"""What holds too much is refused by counting, before any rule is looked at."""

import time

import pytest

from gremium.v1 import aggregator_pb2, ensemble_pb2, judge_pb2, jury_pb2, router_pb2, types_pb2
from services.core.errors import InvalidRequestError
from services.runtime.bounds import MAX_ITEMS, held
from services.runtime.rules import check

MANY = 100_000


def prompt(n_messages, n_parts=1):
    turn = types_pb2.Message(role=2, parts=[types_pb2.Part(text="a")] * n_parts)
    return types_pb2.Prompt(messages=[turn] * n_messages)


def calls(n):
    return types_pb2.Answer(juror="a", tool_calls=[types_pb2.ToolCall(name="f")] * n)


CROWDED = {
    "messages": (ensemble_pb2.AskRequest(prompt=prompt(MANY)), "prompt.messages"),
    "stream": (
        ensemble_pb2.AskStreamRequest(ask=ensemble_pb2.AskRequest(prompt=prompt(MANY))),
        "ask.prompt.messages",
    ),
    "parts": (router_pb2.RouteRequest(prompt=prompt(1, MANY)), "prompt.messages[0].parts"),
    "parts-in-all": (
        router_pb2.PlanRequest(prompt=prompt(1000, 256)),
        "prompt.messages[12].parts",
    ),
    "jurors": (
        jury_pb2.DeliberateRequest(jurors=[jury_pb2.JurorSpec(name="a")] * MANY),
        "jurors",
    ),
    "waves": (jury_pb2.DeliberateRequest(waves=[1] * MANY), "waves"),
    "calls": (judge_pb2.VerifyRequest(answer=calls(MANY)), "answer.tool_calls"),
    "answers": (judge_pb2.RankRequest(answers=[calls(0)] * MANY), "answers"),
    "tools": (aggregator_pb2.AggregateRequest(tools=[types_pb2.Tool(name="a")] * MANY), "tools"),
    "labels": (
        ensemble_pb2.AskRequest(labels={str(i): "" for i in range(MANY)}),
        "labels",
    ),
    "long-label": (
        aggregator_pb2.AggregateRequest(
            output_format=types_pb2.OutputFormat(
                labels=types_pb2.LabelFormat(labels=["a" * MANY, "b"])
            )
        ),
        "output_format.labels.labels[0]",
    ),
}


@pytest.mark.parametrize(("request_", "field"), CROWDED.values(), ids=CROWDED)
def test_is_refused_at_once_and_named(request_, field):
    with pytest.raises(InvalidRequestError) as refusal:
        check(request_)
    began = time.thread_time()
    held(request_)

    assert [field] == [name for name, _ in refusal.value.violations]
    assert time.thread_time() - began < 0.05


def test_as_many_as_are_allowed_pass():
    turns = MAX_ITEMS // 2 // 2
    assert held(ensemble_pb2.AskRequest(prompt=prompt(turns, 3))).excess is None
    assert held(ensemble_pb2.AskRequest(prompt=prompt(turns, 4))).excess is not None
