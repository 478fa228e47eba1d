"""Types are mended where a schema leaves no doubt, and not where it does."""

import json

import pytest

from services.core.fitting import fitted

OBJECT = {"type": "object"}


def encoded(value, times):
    for _ in range(times):
        value = json.dumps(value)
    return value


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        pytest.param("5", {"type": "integer"}, (5, ("STRING_TO_NUMBER",)), id="number wanted"),
        pytest.param(5, {"type": "string"}, ("5", ("NUMBER_TO_STRING",)), id="text wanted"),
        pytest.param("5", {"type": ["string", "integer"]}, ("5", ()), id="both allowed"),
        pytest.param(5, {"type": ["string", "integer"]}, (5, ()), id="both allowed, number"),
        pytest.param("{}", {"type": ["string", "object"]}, ("{}", ()), id="text that holds JSON"),
        pytest.param(True, {"type": "string"}, (True, ()), id="true is no number"),
        pytest.param("5", {}, ("5", ()), id="no schema"),
        pytest.param(
            {"a": None}, {"properties": {"a": {}}}, ({}, ()), id="null for what is missing"
        ),
        pytest.param(
            {"a": None},
            {"properties": {"a": {}}, "required": ["a"]},
            ({"a": None}, ()),
            id="null that is required",
        ),
    ],
)
def test_mends_types(value, schema, expected):
    assert expected == fitted(value, schema)


@pytest.mark.parametrize(("times", "is_read"), [(1, True), (2, True), (3, False)])
def test_json_within_a_text_is_read_twice_at_most(times, is_read):
    value, repairs = fitted(encoded({"a": 1}, times), OBJECT)

    assert (is_read, is_read) == (value == {"a": 1}, repairs == ("DOUBLE_ENCODED",))
