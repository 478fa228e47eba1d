"""Values that mean the same have one canonical form, and others do not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.equality import canonical, canonical_key, dumped
from services.core.unreadable import UnreadableError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)
UNIQUE = {"type": "array", "uniqueItems": True}


def canonical_json(value, schema=None):
    return dumped(canonical(value, schema))


@given(VALUES)
def test_canonical_of_canonical_changes_nothing(value):
    once = canonical_json(value)

    assert once == canonical_json(json.loads(once))


@given(st.dictionaries(st.text(), SCALARS, min_size=2), st.randoms())
def test_order_of_keys_does_not_count(value, random):
    shuffled = list(value.items())
    random.shuffle(shuffled)

    assert canonical_json(value) == canonical_json(dict(shuffled))


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_an_integral_float_is_its_integer(number):
    assert canonical_json(number) == canonical_json(float(number))


@given(st.lists(SCALARS), st.randoms())
def test_order_of_unique_items_does_not_count(items, random):
    shuffled = list(items)
    random.shuffle(shuffled)

    assert canonical_json(items, UNIQUE) == canonical_json(shuffled, UNIQUE)


@given(st.text())
def test_case_and_space_of_strings_do_not_count(text):
    assert canonical(text) == canonical(f"  {text.casefold()}\n")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(True, 1, id="true is not one"),
        pytest.param(False, 0, id="false is not zero"),
        pytest.param("5", 5, id="text is not a number"),
        pytest.param(None, "null", id="null is not text"),
        pytest.param([1, 2], [2, 1], id="lists have an order"),
        pytest.param(2**53, 2**53 + 1, id="long integers are exact"),
        pytest.param({"a": None}, {}, id="null is not missing without a schema"),
    ],
)
def test_keeps_apart(one, other):
    assert canonical_json(one) != canonical_json(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(1, 1.0, id="one"),
        pytest.param(-0.0, 0, id="minus zero"),
        pytest.param(0.1 + 0.2, 0.3, id="twelve digits"),
        pytest.param(0.99999999999999, 1, id="rounded to an integer"),
        pytest.param("é", "e\u0301", id="ways to write an accent"),
        pytest.param({"é": 1}, {"e\u0301": 1}, id="ways to write an accent in a key"),
        pytest.param(1e16, 10**16, id="long and integral"),
        pytest.param(1.1e25, 11 * 10**24, id="as it was written"),
        pytest.param("\u1fb4", "\u03b1\u0345\u0301", id="order of accents that case moves"),
    ],
)
def test_holds_equal(one, other):
    assert canonical_json(one) == canonical_json(other)


@pytest.mark.parametrize(
    ("one", "other", "schema"),
    [
        pytest.param({"a": None}, {}, {"properties": {"a": {}}}, id="null optional"),
        pytest.param({"a": "M "}, {}, {"properties": {"a": {"default": "m"}}}, id="default"),
        pytest.param([2, 1], [1, 2], {"x-unordered": True}, id="x-unordered"),
        pytest.param(
            "2026-01-02T10:00:00Z",
            "2026-01-02T12:00:00+02:00",
            {"format": "date-time"},
            id="moment",
        ),
        pytest.param(
            {"a": [2, 1]},
            {"a": [1, 2]},
            {"properties": {"a": {"$ref": "#/$defs/bag"}}, "$defs": {"bag": UNIQUE}},
            id="by reference",
        ),
        pytest.param(
            {"a": [2, 1]},
            {"a": [1, 2]},
            {"properties": {"a": {"anyOf": [{"type": "string"}, UNIQUE]}}},
            id="in an alternative",
        ),
    ],
)
def test_a_schema_makes_equal(one, other, schema):
    assert canonical_json(one, schema) == canonical_json(other, schema)


@pytest.mark.parametrize(
    ("one", "other", "schema"),
    [
        pytest.param("A", "a", {"x-exact": True}, id="x-exact"),
        pytest.param("A", "a", {"enum": ["A", "a"]}, id="enum that needs case"),
        pytest.param("HTTP://a/B", "http://a/b", {"format": "uri"}, id="address"),
        pytest.param("SGk=", "sgk=", {"contentEncoding": "base64"}, id="encoded content"),
        pytest.param("<A/>", "<a/>", {"contentMediaType": "text/xml"}, id="content of a kind"),
        pytest.param(
            {"a": None}, {}, {"properties": {"a": {}}, "required": ["a"]}, id="null required"
        ),
        pytest.param(
            {"a": None},
            {},
            {"properties": {"a": {}}, "required": ["a"], "allOf": [{"required": ["b"]}]},
            id="null required beside another",
        ),
    ],
)
def test_a_schema_keeps_apart(one, other, schema):
    assert canonical_json(one, schema) != canonical_json(other, schema)


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_refuses_what_is_not_finite(number):
    with pytest.raises(UnreadableError) as caught:
        canonical_json([number])

    assert "NOT_FINITE" == caught.value.reason


def test_keys_that_are_the_same_but_for_how_an_accent_is_written_are_one_twice():
    with pytest.raises(UnreadableError, match="same key twice"):
        canonical({"é": 1, "e\u0301": 2})


def test_a_schema_knows_its_keys_however_an_accent_is_written():
    schema = {"properties": {"e\u0301": {"x-exact": True}}}

    assert canonical_json({"é": "A"}, schema) != canonical_json({"é": "a"}, schema)


def test_a_moment_before_the_first_year_stays_as_it_is_written():
    moment = "0001-01-01T00:00:00+14:00"

    assert moment == canonical(moment, {"format": "date-time"})


def test_a_lone_surrogate_still_has_a_key():
    assert 16 == len(canonical_key(canonical_json({"\ud800": "\udfff"})))
