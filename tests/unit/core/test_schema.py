"""A caller's schema is sound, bounded and its own; reading by it takes bounded work."""

import json
import time

import pytest

from services.core.canonical import ballot, check_format
from services.core.dialect import MAX_PATTERN_CHARS
from services.core.errors import InvalidRequestError
from services.core.prompts import OutputFormat, Tool
from services.core.schema import schema_problem, violation
from services.core.schema_rules import MAX_DEPTH, MAX_NODES, MAX_PATTERNS, MAX_SUBSCHEMAS

CHECK_S = 0.5
"""Generous: looking at the worst schema, or reading by it, takes 0.05 to 0.3 s of CPU."""


def nested(depth):
    schema = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


def cast(value, schema):
    form = OutputFormat("json", schema=schema)
    return ballot(json.dumps(value), (), output_format=form, tools=())


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "sausage"}, "type: 'sausage'"),
        ({"required": "a"}, "required: 'a'"),
        ({"properties": {"a": {"minLength": -1}}}, "minLength: -1"),
        ({"$ref": "http://127.0.0.1:1/schema.json"}, "'http://127.0.0.1:1/schema.json'"),
        ({"$ref": "file:///etc/hosts"}, "'file:///etc/hosts'"),
        ({"$ref": "#/$defs/none"}, "'#/$defs/none'"),
        ({"$ref": "#/x", "x": {"type": "sausage"}}, "'#/x'"),
        ({"$ref": "#"}, "without end"),
        ({"anyOf": [{"type": "null"}, {"not": {"$ref": "#"}}]}, "without end"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "without end"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "'(?=a)b'"),
        ({"pattern": r"(a)\1"}, r"\1"),
        ({"patternProperties": {"(": {}}}, "linear time"),
        ({"pattern": "a" * (MAX_PATTERN_CHARS + 1)}, "1,025 characters; 1,024 are allowed"),
        ({"pattern": r"[\p{L}]{1,200}"}, "too large"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "one schema"),
        (nested(MAX_DEPTH), f"{MAX_DEPTH + 1} levels deep or deeper; {MAX_DEPTH} are allowed"),
        ({"enum": list(range(MAX_NODES))}, "4,002 values or more; 4,000 are allowed"),
        ({"allOf": [{}] * MAX_SUBSCHEMAS}, "601 schemas; 600 are allowed"),
        ({"allOf": [{"pattern": "a"}] * 33}, f"33 patterns; {MAX_PATTERNS} are allowed"),
    ],
    ids=lambda value: str(value)[:32],
)
def test_a_schema_that_is_not_taken_says_why(schema, told):
    assert told in schema_problem(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "type": "object"},
        {"type": "object", "properties": {"next": {"$ref": "#"}}},
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "string"}}},
        {"anyOf": [{"type": "null"}, {"type": "string"}], "items": {"$ref": "#/anyOf/1"}},
        {"properties": {"pattern": {"type": "string"}, "$ref": {"type": "string"}}},
        {"enum": [{"pattern": "(?=a)", "$ref": "http://nowhere"}]},
        {"pattern": r"^[一-鿿\u3040-\u30ff]+\/\d{2}$"},
        nested(MAX_DEPTH - 1),
    ],
    ids=lambda value: str(value)[:32],
)
def test_a_schema_that_is_sound_is_taken(schema):
    assert "" == schema_problem(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {f"p{i}": {"type": ["string", "null"]} for i in range(MAX_SUBSCHEMAS - 1)}},
        {"properties": {f"p{i}": i for i in range(MAX_NODES - 2)}},
        {"properties": {f"p{i}": {"type": "string"} for i in range(80_000)}},
        {"$defs": {"a": {}}, "allOf": [{"$ref": "#/$defs/a"}] * (MAX_SUBSCHEMAS - 2)},
    ],
    ids=["many types", "wrong", "much too large", "references"],
)
def test_looking_at_a_schema_takes_little_time(schema):
    before = time.process_time()
    schema_problem(schema)

    assert time.process_time() - before < CHECK_S


LAUGHS = {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(28)}
TREE = {"properties": {"a": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "required": ["z"]}


def deep(depth):
    value = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        (
            {"properties": {"why": {"pattern": "^(a+)+$"}}},
            {"why": "a" * 40 + "!"},
            "SCHEMA_INVALID",
        ),
        ({"patternProperties": {"^(a+)+$": False}}, {"a" * 40 + "!": 1}, ""),
        (
            {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
            {"a" * 40 + "!": 1},
            "SCHEMA_INVALID",
        ),
        ({"items": {"pattern": "(a?b?){500}c"}}, ["ab" * 50] * 3000, "TOO_COSTLY"),
        ({"uniqueItems": True}, list(range(30_000)), "TOO_COSTLY"),
        (TREE, deep(40), "TOO_COSTLY"),
        ({"$defs": {**LAUGHS, "a28": {}}, "$ref": "#/$defs/a0"}, {}, "TOO_COSTLY"),
        ({"anyOf": [{"type": "string"}] * 500}, {"a": ["x" * 1000] * 900}, "TOO_COSTLY"),
        ({"items": {"required": list(map(str, range(3000)))}}, [{}] * 20_000, "TOO_COSTLY"),
        ({"items": {"enum": [[i] for i in range(1900)]}}, [[5000]] * 20_000, "TOO_COSTLY"),
    ],
    ids=[
        "pattern",
        "keys",
        "extra",
        "nfa",
        "unique",
        "tree",
        "laughs",
        "quotes",
        "required",
        "enum",
    ],
)
def test_reading_by_a_schema_takes_bounded_work(schema, value, reason):
    assert "" == schema_problem(schema)
    before = time.process_time()
    vote = cast(value, schema)

    assert reason == vote.reason
    assert time.process_time() - before < 2 * CHECK_S


def test_a_long_answer_is_read():
    row = {"type": "object", "properties": {k: {"type": "string"} for k in "abcde"}}

    assert cast([dict.fromkeys("abcde", "words")] * 500, {"items": row}).key


@pytest.mark.parametrize(
    ("schema", "value", "holds"),
    [
        ({"pattern": "^[a-z]+$"}, "ab\n", False),
        ({"pattern": r"^\u0041$"}, "A", True),
        ({"pattern": "b"}, "abc", True),
        ({"pattern": "."}, "\ud800", True),
        ({"patternProperties": {"^x-": {"type": "integer"}}}, {"x-a": "1"}, False),
        ({"multipleOf": 0.1}, 0.3, True),
        ({"multipleOf": 0.01}, 10**400, True),
        ({"multipleOf": 3}, 10**400, False),
        ({"multipleOf": 3}, True, True),
        ({"uniqueItems": True}, [1, True, "1"], True),
        ({"uniqueItems": True}, [1, 1.0], False),
        ({"uniqueItems": True}, [{"a": 1, "b": [2.0]}, {"b": [2], "a": 1}], False),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "items": {"$ref": "#"}},
            [[1]],
            True,
        ),
        (
            {"items": {"$id": "http://other/", "$ref": "#/$defs/s"}, "$defs": {"s": False}},
            [1],
            False,
        ),
    ],
    ids=str,
)
def test_a_value_is_what_the_schema_asks_for_or_not(schema, value, holds):
    assert holds is (violation(value, schema) == "")


def test_what_is_no_number_is_a_multiple_of_nothing_and_no_vote():
    form = OutputFormat("json", schema={"multipleOf": 0.5})

    assert "NOT_FINITE" == ballot("1e999", (), output_format=form, tools=()).reason


def test_a_part_that_names_another_dialect_is_read_by_the_same_rules():
    draft7 = "http://json-schema.org/draft-07/schema#"
    part = {"$schema": draft7, "pattern": "^(a+)+$"}
    schema = {"anyOf": [part, {"type": "null"}], "properties": {"x": {**part}}}

    assert "SCHEMA_INVALID" == cast("a" * 40 + "!", schema).reason
    assert "SCHEMA_INVALID" == cast({"x": "a" * 40 + "!"}, {"properties": {"x": part}}).reason


@pytest.mark.parametrize(
    ("output_format", "parameters", "field"),
    [
        (OutputFormat("json", schema={"type": "sausage"}), {}, "output_format.json.schema_json"),
        (OutputFormat(), {"type": "string"}, "tools[1].parameters_schema_json"),
        (
            OutputFormat(),
            {"$ref": "#/$defs/s", "$defs": {"s": {"type": "array"}}},
            "tools[1].parameters_schema_json",
        ),
        (OutputFormat("labels", labels=("Yes", "yes ")), {}, "output_format.labels.labels"),
        (OutputFormat("labels", labels=("Straße", "STRASSE")), {}, "output_format.labels.labels"),
        (OutputFormat("labels", labels=("a", "  ")), {}, "output_format.labels.labels"),
    ],
    ids=["schema", "string", "referred", "case", "folded", "blank"],
)
def test_what_no_answer_can_be_read_by_is_refused_by_name(output_format, parameters, field):
    with pytest.raises(InvalidRequestError) as caught:
        check_format(output_format, [Tool("a"), Tool("b", parameters=parameters)], within="prompt.")

    assert f"prompt.{field}" == caught.value.violations[0][0]


def test_the_schemas_of_a_request_are_bounded_together():
    tool = Tool("t", parameters={"enum": list(range(3000))})

    with pytest.raises(InvalidRequestError, match="12,000 are allowed"):
        check_format(OutputFormat(), [tool] * 5)
