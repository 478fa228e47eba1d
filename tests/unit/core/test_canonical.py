"""Answers that mean the same cast the same ballot; what is no vote says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.canonical import NO_CALL, ballot, canonical_key
from services.core.prompts import OutputFormat, Tool, ToolCall

TEXT = OutputFormat()
TOOLS = (
    Tool(
        "math.hcf",
        parameters={
            "type": "object",
            "properties": {
                "a": {"type": "integer"},
                "b": {"type": "integer"},
                "unit": {"type": "string", "default": "m"},
            },
            "required": ["a", "b"],
        },
    ),
    Tool("now"),
)
HCF = '{"tool_calls":[{"arguments":{"a":36,"b":24},"name":"math.hcf"}]}'
OBJECT = OutputFormat(
    "json", schema={"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
)


def cast(text="", calls=(), *, form=TEXT, tools=TOOLS):
    return ballot(text, calls, output_format=form, tools=tools)


@pytest.mark.parametrize(
    "text",
    [
        "[math.hcf(a=36, b=24)]",
        "math.hcf(b=24, a=36.0, unit='M')",
        r"[math\_hcf(a=36, b=24)]",
        '["math.hcf(a=36, b=24)"]',
        '[{"math_hcf": "{\\"b\\": 24, \\"a\\": 36}"}]',
        '```json\n[{"name": "math.hcf", "arguments": {"a": 36, "b": 24, "unit": null}}]\n```',
        '{"tool_calls": [{"function": {"name": "math.hcf", "arguments": "{\\"a\\":36,\\"b\\":24}"}}]}',
        'I will call:\n<tool_call>{"name": "math.hcf", "parameters": {"a": 36, "b": 24}}</tool_call>',
        "<think>hm</think>Let me see: [math.hcf(a='36', b=24)]",
    ],
)
def test_reads_a_tool_call_however_it_is_written(text):
    assert HCF == cast(text).value


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ('[{"name": "math.hcf", "params": {"a": 36, "b": 24}}]', None),
        ('[{"name": "math.hcf", "a": 36, "b": 24}]', "FLAT_ARGUMENTS"),
        ('["math.hcf", {"a": 36, "b": 24}]', "PAIR"),
        ("[('math.hcf', {'a': 36, 'b': 24})]", "PAIR"),
        ('[{"math.hcf": {"a": 36, "b": 24}}, "\\n"]', "BLANK_ITEM"),
        ("math.hcf({'a': 36, 'b': 24})", "POSITIONAL_OBJECT"),
        ("math.hcf(params={'a': 36, 'b': 24})", "WRAPPED"),
        ("math.hcf(a=3 * 12, b=48 / 2)", "ARITHMETIC"),
        ("math.hcf(a=36, b=24, unit=null)", "JSON_CONSTANT"),
        ("math.hcf(a=36, b=24, unit=m)", "BARE_WORD"),
        ("[math.hcf(a=36, b=24)", "UNCLOSED"),
        ("<|start_header_id|>[math.hcf(a=36, b=24)]", "TEMPLATE_MARK"),
        ("functions.math.hcf(a=36, b=24)", None),
        ("tools.math.hcf(a=36, b=24)", None),
        ("default_api.math.hcf(a=36, b=24)", None),
    ],
)
def test_mends_a_tool_call_and_says_how(text, repair):
    vote = cast(text)

    assert HCF == vote.value
    assert repair is None or repair in vote.repairs


@pytest.mark.parametrize(
    "text",
    [
        "First:\n[math.hcf(a=1, b=2)]\nthen:\n[now()]",
        "[math.hcf(a=1, b=2)]\n[now()]",
        "```\nmath.hcf(a=1, b=2)\n```\nand\n```\nnow()\n```",
        "So [math.hcf(a=1, b=2)] and [now()]. In short: [now()]",
    ],
)
def test_all_calls_amid_prose_count_and_repeated_ones_once(text):
    both = cast(calls=[ToolCall("now", "{}"), ToolCall("math.hcf", '{"a":1,"b":2}')])

    assert both.key == cast(text).key


@pytest.mark.parametrize(
    "text",
    [
        "[math.hcf(a=36, b=",
        "[math.hcf, a=36, b=24]",
        "math.hcf(a=f(1), b=24)",
        "math.hcf(a=9e99 * 9e99, b=1 / 0)",
        f"math.hcf(a={'1 + ' * 1500}1, b=2)",
        f"math.hcf(a=x{'.x' * 1500}, b=2)",
        f"math.hcf(a={'[' * 150}{']' * 150}, b=2)",
        f"math.hcf(a=0x{'f' * 8000}, b=-0x{'f' * 8000})",
        '<tool_call>{"name": "math.hcf", "argu',
        '```json\n{"name": "math.hcf", "arguments": {"a": 36\n```',
    ],
)
def test_a_call_that_breaks_off_is_no_vote_for_calling_nothing(text):
    assert "BROKEN_CALL" == cast(text).reason


def test_a_name_that_may_be_the_tools_or_an_argument_is_no_call():
    named = Tool("find", parameters={"properties": {"name": {}, "at": {}}})

    assert "BROKEN_CALL" == cast('[{"name": "find", "at": 1}]', tools=(named,)).reason
    assert cast('[{"name": "find", "args": {"name": "x"}}]', tools=(named,)).key


def test_to_name_a_tool_in_prose_is_not_to_call_it():
    assert NO_CALL.key == cast("[1] says that `math.hcf` (of math) takes two numbers.").key


def test_the_usual_forms_of_a_call_are_no_mending():
    assert (0, 1) == (cast("[math.hcf(a=36, b=24)]").mended, cast("[math.hcf(a=36, b=24)").mended)


def test_reads_a_tool_call_that_is_one():
    assert HCF == cast("Let me see.", [ToolCall("math_hcf", '{"b":24,"a":36.0}')]).value


@given(st.permutations([(1, 2), (3, 4), (1, 2), (5, 6)]))
def test_the_order_of_tool_calls_does_not_count(pairs):
    calls = [ToolCall("math.hcf", json.dumps({"a": a, "b": b})) for a, b in pairs]

    assert cast(calls=calls) == cast(calls=sorted(calls, key=lambda c: c.arguments_json))


def test_a_tool_call_made_twice_is_not_one_made_once():
    call = ToolCall("now", "{}")

    assert cast(calls=[call]).key != cast(calls=[call, call]).key


@pytest.mark.parametrize(
    "text", ["There is no tool for this.", "[]", "Use `print(1)`:\n```python\nprint(1)\n```"]
)
def test_not_to_call_a_tool_is_a_vote_too(text):
    assert NO_CALL.key == cast(text).key


def test_prose_without_tools_has_no_ballot():
    assert ("", "PROSE") == (cast("Paris.", tools=()).key, cast("Paris.", tools=()).reason)


@pytest.mark.parametrize(
    ("text", "calls", "reason"),
    [
        pytest.param("", [ToolCall("x", "{}")], "UNKNOWN_TOOL", id="unknown tool"),
        pytest.param("[get(a=1)]", (), "UNKNOWN_TOOL", id="unknown tool in text"),
        pytest.param("", [ToolCall("math.hcf", '{"a":1}')], "INVALID_ARGUMENTS", id="missing"),
        pytest.param("", [ToolCall("math.hcf", "{")], "INVALID_ARGUMENTS", id="cut off"),
        pytest.param("", [ToolCall("math.hcf", "[1]")], "INVALID_ARGUMENTS", id="no object"),
        pytest.param("", [ToolCall("now", '{"a":1}')], "INVALID_ARGUMENTS", id="takes none"),
        pytest.param("math.hcf(1, 2)", (), "INVALID_ARGUMENTS", id="without names"),
        pytest.param(" \n", (), "EMPTY", id="blank"),
        pytest.param("<think>a</think>", (), "EMPTY", id="only reasoning"),
    ],
)
def test_is_no_vote(text, calls, reason):
    vote = cast(text, calls)

    assert ("", reason) == (vote.key, vote.reason)


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        ('{"x": 1}', ()),
        ('{"x": 1.0}', ()),
        ('{"x": "1"}', ("STRING_TO_NUMBER",)),
        ('As [1] says: {"x": 1}', ("PROSE_AROUND",)),
        ('As [1], [2], [3], [4] and [5] say: {"x": 1}', ("PROSE_AROUND",)),
    ],
)
def test_json_counts_by_its_meaning(text, repairs):
    vote = cast(text, form=OBJECT)

    assert ('{"x":1}', repairs) == (vote.value, vote.repairs)


@pytest.mark.parametrize("text", ['{"x": true}', '{"y": 1}', "[1]"])
def test_json_that_breaks_its_schema_is_no_vote(text):
    assert "SCHEMA_INVALID" == cast(text, form=OBJECT).reason


FENCED = '```json\n{"x": 1}\n```'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('first {"x": 1} then {"x": 2}', "", id="two objects"),
        pytest.param(f"{FENCED}\n{FENCED.replace('1', '2')}", "", id="two fences"),
        pytest.param('{"x": 1} and again {"x": 1.0}', '{"x":1}', id="the same twice"),
        pytest.param(f'Not {{"x": 2}} but\n{FENCED}', '{"x":1}', id="one is fenced"),
        pytest.param('{"y": 1}, or rather {"x": 1}', '{"x":1}', id="one fits the schema"),
    ],
)
def test_two_different_objects_are_no_vote(text, value):
    vote = cast(text, form=OBJECT)

    assert (value, "" if value else "SEVERAL_VALUES") == (vote.value, vote.reason)


def test_json_needs_no_schema():
    assert '[1,"a"]' == cast('[1.0, " A"]', form=OutputFormat("json")).value


def test_a_key_is_the_digest_of_its_value():
    vote = cast("B", form=OutputFormat("labels", labels=("A", "B")))

    assert ('"B"', canonical_key('"B"')) == (vote.value, vote.key)
