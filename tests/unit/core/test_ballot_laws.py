"""Ballots are an equality: whatever a model writes has one class or a reason, and rules hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.canonical import ballot
from services.core.equality import canonical, dumped
from services.core.prompts import OutputFormat, Tool, ToolCall

SCHEMA = {
    "type": "object",
    "properties": {
        "n": {"type": "number"},
        "s": {"type": "string", "default": "m"},
        "bag": {"type": "array", "uniqueItems": True, "items": {"type": "integer"}},
    },
}
TOOLS = (Tool("math.hcf", parameters=SCHEMA), Tool("now"))
FORMS = (
    OutputFormat(),
    OutputFormat("labels", labels=("yes", "no")),
    OutputFormat("number"),
    OutputFormat("json"),
    OutputFormat("json", schema=SCHEMA),
    OutputFormat("number", may_abstain=True),
    OutputFormat("json", schema=SCHEMA, may_abstain=True),
)
ALPHABET = [
    *"{}[]()'\"`,:=.\\ \n-+*/^%$#<|>_0123456789eEinfa\u0301é\ud800",
    *("```json\n", "<think>", "</think>", "<tool_call>", "math.hcf(", "now()", "true", "null"),
    *(r"\frac{", r"\boxed{", r"\text{", "NaN", "Infinity", "yes", "no", '"n":', '"s":', "name"),
    *("I don't know", "Answer: ", "unknown", "I can't help", "none of these", "but "),
]
WRITTEN = st.lists(st.sampled_from(ALPHABET), max_size=40).map("".join) | st.text(max_size=60)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=10,
)


def cast(text, form=FORMS[3], calls=(), tools=()):
    return ballot(text, calls, output_format=form, tools=tools)


@pytest.mark.parametrize("tools", [(), TOOLS], ids=["without tools", "with tools"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.kind)
@given(text=WRITTEN)
def test_any_text_has_a_class_or_a_reason(form, tools, text):
    vote = cast(text, form, tools=tools)

    assert bool(vote.key) != bool(vote.reason)
    assert vote == cast(text, form, tools=tools)


@given(name=WRITTEN, arguments=WRITTEN)
def test_any_call_has_a_class_or_a_reason(name, arguments):
    vote = cast("", FORMS[0], [ToolCall(name, arguments), ToolCall("now", arguments)], TOOLS)

    assert bool(vote.key) != bool(vote.reason)


@given(VALUES, st.randoms())
def test_equal_is_reflexive_whatever_the_order_and_the_spelling(value, random):
    assert cast(json.dumps(value)).key == cast(f"```json\n{respelt(value, random)}\n```").key


def respelt(value, random):
    """The same value with other spaces, orders of keys, and escapes."""
    match value:
        case dict():
            items = list(value.items())
            random.shuffle(items)
            inner = " ,\n".join(f"{json.dumps(k)} : {respelt(v, random)}" for k, v in items)
            return f"{{ {inner} }}"
        case list():
            return f"[ {', '.join(respelt(item, random) for item in value)} ]"
        case _:
            return json.dumps(value, ensure_ascii=random.random() < 0.5)


@given(VALUES, VALUES, VALUES)
def test_equal_is_symmetric_and_transitive_and_as_equal_as_what_is_told(one, other, third):
    keys = [cast(json.dumps(value)).key for value in (one, other, third)]
    told = [dumped(canonical(value)) for value in (one, other, third)]

    assert [a == b for a in keys for b in keys] == [a == b for a in told for b in told]


@given(st.lists(st.integers(0, 3), max_size=6), st.randoms())
def test_parallel_calls_are_a_multiset(numbers, random):
    calls = [ToolCall("math.hcf", json.dumps({"n": n})) for n in numbers] + [ToolCall("now", "")]
    shuffled = random.sample(calls, len(calls))

    vote = cast("", FORMS[0], calls, TOOLS)
    assert vote.key == cast("", FORMS[0], shuffled, TOOLS).key
    assert vote.key != cast("", FORMS[0], [*calls, calls[0]], TOOLS).key


@given(st.integers() | st.floats(-1e15, 1e15))
def test_a_text_is_a_number_only_where_the_schema_says_so(number):
    written = json.dumps(number)

    assert cast(written).key != cast(json.dumps(written)).key
    plain, quoted = (json.dumps({"n": n}) for n in (number, written))
    assert cast(plain, FORMS[4]).key == cast(quoted, FORMS[4]).key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": NaN}', "NOT_FINITE"),
        ('{"a": -Infinity}', "NOT_FINITE"),
        ('{"a": 1e999}', "NOT_FINITE"),
        ('{"a": 1, "a": 2}', "DUPLICATE_KEY"),
        ("{'a': 1, 'a': 2}", "DUPLICATE_KEY"),
        ("[" * 65 + "]" * 65, "TOO_DEEP"),
    ],
)
def test_what_json_does_not_have_is_no_vote(text, reason):
    assert ("", reason) == (cast(text).key, cast(text).reason)


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        ('{"s": "a\nb"}', ("CONTROL_CHARACTERS",)),
        ('{"n": 1,}', ("TRAILING_COMMA",)),
        ("{'n': 1}", ("PYTHON_LITERAL",)),
        (r'{"s": "a\_b"}', ("MARKDOWN_ESCAPE",)),
        (r'{"s": "\x"}', ("BACKSLASH",)),
        ('\ufeff{"n": 1}', ("BYTE_ORDER_MARK",)),
        ('```json\n{"n": 1}\n```', ("FENCE",)),
        ('So: {"n": 1}.', ("PROSE_AROUND",)),
        ('{"n": "1"}', ("STRING_TO_NUMBER",)),
        ('{"s": 1}', ("NUMBER_TO_STRING",)),
        ('{"bag": "[1]"}', ("DOUBLE_ENCODED",)),
    ],
)
def test_each_repair_is_recorded_by_name(text, repairs):
    assert repairs == cast(text, FORMS[4]).repairs
