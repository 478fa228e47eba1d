"""JSON is found in what models write, mended where its meaning is plain, else refused."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.extract import readings
from services.core.unreadable import UnreadableError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
PYTHON = f"['{'x' * (2**14 - 4)}']"


def first(text):
    return next(readings(text))


@given(JSON)
def test_takes_json_as_it_is(value):
    assert (value, ()) == first(json.dumps(value))


@given(st.dictionaries(st.text(), JSON))
def test_finds_an_object_amid_prose(value):
    assert value == first(f"Here it is: {json.dumps(value)} Anything else?")[0]


@given(st.text(st.sampled_from(list("""{}[]'\",:1a \n`\\""")), max_size=200))
def test_reads_or_refuses_any_text(text):
    with suppress(UnreadableError):
        first(text)


@pytest.mark.parametrize(
    ("text", "value", "repairs"),
    [
        pytest.param('\ufeff{"a":1}', {"a": 1}, ("BYTE_ORDER_MARK",), id="byte order mark"),
        pytest.param('```json\n{"a":1}\n```', {"a": 1}, ("FENCE",), id="fence"),
        pytest.param('```{"a":1}```', {"a": 1}, ("FENCE",), id="fence on one line"),
        pytest.param('Yes: {"a":1}.', {"a": 1}, ("PROSE_AROUND",), id="prose"),
        pytest.param('{"a":"x\ny"}', {"a": "x\ny"}, ("CONTROL_CHARACTERS",), id="raw newline"),
        pytest.param('{"a":[1,],}', {"a": [1]}, ("TRAILING_COMMA",), id="trailing commas"),
        pytest.param("{'a': \"it's\"}", {"a": "it's"}, ("PYTHON_LITERAL",), id="quotes"),
        pytest.param("{'a': None, 'b': true}", {"a": None, "b": True}, ("PYTHON_LITERAL",), id="mixed"),
        pytest.param('{"a": "\\d"}', {"a": "\\d"}, ("PYTHON_LITERAL",), id="backslash"),
        pytest.param('{"a": null, "b": "\\d\n"}', {"a": None, "b": "\\d\n"}, ("BACKSLASH",), id="backslash and newline"),
        pytest.param('{"a\\_b": 1}', {"a_b": 1}, ("MARKDOWN_ESCAPE",), id="markdown"),
        pytest.param('see [the note] {"a": "} ]"}', {"a": "} ]"}, ("PROSE_AROUND",), id="brackets in strings"),
        pytest.param("say {'a': 'b ] c'} now", {"a": "b ] c"}, ("PROSE_AROUND", "PYTHON_LITERAL"), id="brackets in single quotes"),
    ],
)  # fmt: skip
def test_mends(text, value, repairs):
    found, mended = first(text)

    assert value == found
    assert repairs == mended


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("no data here", "NOT_JSON", id="prose"),
        pytest.param("", "NOT_JSON", id="empty"),
        pytest.param('{"a": 1', "NOT_JSON", id="cut off"),
        pytest.param('Here: {"a": "f("x", [1])"', "NOT_JSON", id="a part of a broken object"),
        pytest.param('{"a":1,"a":2}', "DUPLICATE_KEY", id="duplicate key"),
        pytest.param("{'a':1,'a':2}", "DUPLICATE_KEY", id="duplicate key in Python"),
        pytest.param("[NaN]", "NOT_FINITE", id="not a number"),
        pytest.param("[" * 65 + "]" * 65, "TOO_DEEP", id="65 levels"),
        pytest.param("[" * 100_000 + "]" * 100_000, "TOO_DEEP", id="100,000 levels"),
        pytest.param(f"[{'9' * 5000}]", "NOT_JSON", id="longer than an integer may be"),
        pytest.param('"' + "é" * 2**19 + '"', "TOO_LARGE", id="over a mebibyte"),
        pytest.param(f"[{PYTHON}]", "TOO_LARGE", id="over 16 KiB of Python"),
        pytest.param(f"['{'é' * 2**13}']", "TOO_LARGE", id="over 16 KiB in fewer letters"),
        pytest.param("[f(1), __import__('os')]", "NOT_JSON", id="code"),
        pytest.param("{'a': -True}", "NOT_JSON", id="true has no negative"),
        pytest.param(f"[0x{'f' * 8000}]", "NOT_JSON", id="more digits than are ever written"),
        pytest.param(f"[-0x{'f' * 8000}]", "NOT_JSON", id="and less than nothing"),
        pytest.param(f"{'[' * 65}'a'{']' * 65}", "TOO_DEEP", id="65 levels of Python"),
        pytest.param(f"['a'{'.a' * 1500}]", "TOO_DEEP", id="1,500 levels of Python"),
        pytest.param("[" + "-" * 16_000 + "1]", "NOT_JSON", id="code that overflows the parser"),
    ],
)
def test_refuses(text, reason):
    with pytest.raises(UnreadableError) as caught:
        first(text)

    assert reason == caught.value.reason


def test_takes_16_kib_of_python():
    assert 2**14 == len(PYTHON)
    assert ["x" * (2**14 - 4)] == first(PYTHON)[0]


def test_takes_64_levels():
    text = "[" * 64 + "]" * 64

    assert json.loads(text) == first(text)[0]


@pytest.mark.parametrize("unit", ["{ [ ", '"[', "```", "[{'", "<think>", "\\"])
def test_hostile_text_takes_no_long_time(unit):
    start = time.process_time()

    with pytest.raises(UnreadableError):
        first(unit * (200_000 // len(unit)))

    assert time.process_time() - start < 2.0
