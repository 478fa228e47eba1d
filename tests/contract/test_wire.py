"""Values cross the wire unchanged, and what breaks the contract is refused by field."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gremium.v1 import aggregator_pb2, ensemble_pb2, jury_pb2, types_pb2
from services.core.answers import Answer, FinishReason, Usage
from services.core.errors import InvalidRequestError
from services.core.lease import Lease
from services.core.prompts import (
    Image,
    Message,
    OutputFormat,
    Params,
    Passage,
    Tool,
    ToolCall,
    ToolResult,
)
from services.runtime import rules, wire

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 2**40)
CALLS = st.builds(ToolCall, name=TEXTS, arguments_json=TEXTS, id=TEXTS)
ANSWERS = st.builds(
    Answer,
    juror=TEXTS,
    text=TEXTS,
    tool_calls=st.lists(CALLS, max_size=3).map(tuple),
    model=TEXTS,
    family=TEXTS,
    finish_reason=st.sampled_from(FinishReason),
    mean_logprob=st.none() | st.floats(-100, 0),
)
LEASES = st.builds(
    Lease,
    st.none() | st.floats(0, 1e6),
    st.none() | st.integers(0, 2**31 - 1),
    st.none() | COUNTS,
)


def sent(message):
    """What the other side reads."""
    return type(message).FromString(message.SerializeToString())


@given(ANSWERS)
def test_an_answer_crosses_unchanged(answer):
    assert answer == wire.answer_from_wire(sent(wire.answer_to_wire(answer)))


@pytest.mark.parametrize("may", [True, False])
@pytest.mark.parametrize(
    "form",
    [
        OutputFormat(),
        OutputFormat("labels", labels=("yes", "no")),
        OutputFormat("number", relative_tolerance=0.25),
        OutputFormat("json", schema={"type": "object"}),
        OutputFormat("json"),
    ],
)
def test_an_output_format_crosses_unchanged(form, may):
    form = replace(form, may_abstain=may)

    assert form == wire.output_format_from_wire(sent(wire.output_format_to_wire(form)))


@given(st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS))
def test_usage_crosses_unchanged(usage):
    assert usage == wire.usage_from_wire(sent(wire.usage_to_wire(usage)))


@given(LEASES)
def test_a_lease_crosses_unchanged_and_no_limit_is_not_zero(lease):
    assert lease == wire.lease_from_wire(sent(wire.lease_to_wire(lease)))


@given(st.floats(0, 1e6))
def test_a_duration_crosses_to_the_nanosecond(seconds):
    crossed = wire.duration_from_wire(sent(wire.duration_to_wire(seconds)))

    assert math.isclose(seconds, crossed, rel_tol=1e-12, abs_tol=1e-9)


@given(st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1)), st.integers(-12, 12))  # noqa: DTZ001 - the zone is drawn beside
def test_a_moment_crosses_whatever_its_zone(naive, hours):
    moment = naive.replace(tzinfo=timezone(timedelta(hours=hours)))

    assert moment == sent(wire.timestamp_to_wire(moment)).ToDatetime(tzinfo=UTC)


def test_every_finish_reason_and_role_has_a_number_of_its_own():
    assert set(FinishReason) == set(wire.FINISH_TO_WIRE)
    assert set(types_pb2.FinishReason.values()) == set(wire.FINISH_FROM_WIRE)
    assert set(types_pb2.Role.values()) - {0} == set(wire.ROLES)


def prompt(**fields):
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="6 x 7?")])
    return types_pb2.Prompt(**{"messages": [turn], **fields})


def test_a_conversation_keeps_its_turns_and_parts():
    call = types_pb2.ToolCall(id="1", name="f", arguments_json="{}")
    result = types_pb2.ToolResult(tool_call_id="1", content="42", is_error=True)
    image = types_pb2.Image(data=b"\x89PNG", media_type="image/png")
    parts = types_pb2.Part
    turns = [
        types_pb2.Message(role=types_pb2.ROLE_SYSTEM, parts=[parts(text="Be brief.")]),
        types_pb2.Message(role=types_pb2.ROLE_USER, parts=[parts(text="See"), parts(image=image)]),
        types_pb2.Message(role=types_pb2.ROLE_ASSISTANT, parts=[parts(tool_call=call)]),
        types_pb2.Message(role=types_pb2.ROLE_TOOL, parts=[parts(tool_result=result)]),
    ]

    assert (
        Message("system", ("Be brief.",)),
        Message("user", ("See", Image(data=b"\x89PNG", media_type="image/png"))),
        Message("assistant", (ToolCall("f", "{}", "1"),)),
        Message("tool", (ToolResult("1", "42", is_error=True),)),
    ) == wire.prompt_from_wire(prompt(messages=turns)).messages


def test_what_a_prompt_does_not_set_is_none():
    assert Params() == wire.prompt_from_wire(prompt()).params


def test_zero_is_set():
    params = types_pb2.GenerationParams(temperature=0, seed=0, stop=["\n"])

    assert Params(temperature=0, seed=0, stop=("\n",)) == (
        wire.prompt_from_wire(prompt(params=params)).params
    )


def test_tools_and_passages_come_along():
    read = wire.prompt_from_wire(
        prompt(
            tools=[types_pb2.Tool(name="f", parameters_schema_json='{"type": "object"}')],
            grounding=types_pb2.Grounding(passages=[types_pb2.Passage(id="a", text="b")]),
        )
    )

    assert ((Tool("f", "", {"type": "object"}),), (Passage("a", "b"),)) == (
        read.tools,
        read.passages,
    )


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        pytest.param({}, OutputFormat(), id="unset"),
        pytest.param({"text": {}}, OutputFormat(), id="text"),
        pytest.param({"labels": {"labels": ["a", "b"]}}, OutputFormat("labels", ("a", "b")), id="labels"),
        pytest.param({"json": {}}, OutputFormat("json"), id="any JSON"),
        pytest.param({"json": {"schema_json": "{}"}}, OutputFormat("json", schema={}), id="schema"),
        pytest.param({"number": {}}, OutputFormat("number"), id="number"),
        pytest.param(
            {"number": {"relative_tolerance": 0}},
            OutputFormat("number", relative_tolerance=0),
            id="exact number",
        ),
    ],
)  # fmt: skip
def test_an_output_format_is_read_as_it_was_meant(format_, expected):
    assert expected == wire.output_format_from_wire(types_pb2.OutputFormat(**format_))


@pytest.mark.parametrize("text", ["", "  ", "\n\t"], ids=repr)
def test_a_blank_prompt_is_refused(text):
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=text)])
    with pytest.raises(InvalidRequestError, match="blank") as caught:
        wire.prompt_from_wire(prompt(messages=[turn]))

    assert "prompt.messages" == caught.value.violations[0][0]


@pytest.mark.parametrize("schema", ["{", "[]", '"text"', "NaN"])
def test_a_schema_that_is_no_object_is_refused_by_its_field(schema):
    format_ = types_pb2.OutputFormat(json=types_pb2.JsonFormat(schema_json=schema))
    with pytest.raises(InvalidRequestError, match=r"output_format\.json\.schema_json"):
        wire.prompt_from_wire(prompt(output_format=format_))


def refused(request):
    """The fields that a request is refused for."""
    with pytest.raises(InvalidRequestError) as caught:
        rules.check(request)
    return [field for field, _ in caught.value.violations]


def test_a_request_that_keeps_the_rules_passes():
    assert rules.check(ensemble_pb2.AskRequest(prompt=prompt())) is None


def test_a_missing_prompt_is_named():
    assert ["prompt"] == refused(ensemble_pb2.AskRequest())


def test_a_fault_deep_inside_is_named_by_its_path():
    turn = types_pb2.Message(parts=[types_pb2.Part(text="hi"), types_pb2.Part()])

    assert ["prompt.messages[0].role", "prompt.messages[0].parts[1].kind"] == refused(
        ensemble_pb2.AskRequest(prompt=prompt(messages=[turn, *prompt().messages]))
    )


def test_a_faulty_map_is_named_by_its_key():
    request = ensemble_pb2.AskRequest(prompt=prompt(), labels={"team": "x" * 2000})

    assert ["labels[team]"] == refused(request)


def test_a_rule_over_several_fields_says_what_is_wrong():
    jurors = [jury_pb2.JurorSpec(name="a", model="m", timeout=wire.duration_to_wire(1))]
    request = jury_pb2.DeliberateRequest(prompt=prompt(), jurors=jurors, quorum=2)
    with pytest.raises(InvalidRequestError, match="quorum must not exceed the number of jurors"):
        rules.check(request)


def test_a_number_that_no_enum_has_is_refused_before_it_is_read():
    answer = types_pb2.Answer(juror="a", finish_reason=99)

    assert ["answers[0].finish_reason"] == refused(
        aggregator_pb2.AggregateRequest(answers=[answer])
    )
