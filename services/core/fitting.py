"""Mends a value whose types are not quite those that its schema names."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from services.core.dialect import bounded_work
from services.core.equality import canonical
from services.core.extract import Reading, parse_json
from services.core.schema import NOTHING, Schema, prepared, shape, types
from services.core.unreadable import UnreadableError

MAX_DECODINGS: Final = 2
_NUMBER: Final = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)


def fitted(value: Any, schema: Schema) -> Reading:
    """A value with its types mended where the schema leaves no doubt, and the repairs.

    Numbers in strings become numbers and numbers become strings where only
    that is allowed, JSON inside a string is read once more, and null stands
    for a missing optional property.
    """
    repairs: set[str] = set()
    root = prepared(schema)
    with bounded_work():
        return _fitted(value, root, root, repairs), tuple(sorted(repairs))


def _fitted(value: Any, schema: Any, root: Schema, repairs: set[str]) -> Any:
    known = shape(schema, root, value) if schema else NOTHING
    value = _retyped(value, types(known), repairs)
    match value:
        case list():
            return _items(value, known, root, repairs)
        case dict():
            return _properties(value, known, root, repairs)
        case _:
            return value


def _items(value: list[Any], schema: Schema, root: Schema, repairs: set[str]) -> list[Any]:
    leading, rest = schema.get("prefixItems", ()), schema.get("items", NOTHING)
    return [
        _fitted(item, leading[i] if i < len(leading) else rest, root, repairs)
        for i, item in enumerate(value)
    ]


def _properties(
    value: Mapping[str, Any], schema: Schema, root: Schema, repairs: set[str]
) -> dict[str, Any]:
    parts, required = schema.get("properties", NOTHING), schema.get("required", ())
    extra = schema.get("additionalProperties", NOTHING)
    return {
        key: _fitted(item, parts.get(key, extra), root, repairs)
        for key, item in value.items()
        if not (item is None and key in parts and key not in required)
    }


def _retyped(value: Any, allowed: frozenset[str], repairs: set[str]) -> Any:
    if isinstance(value, str) and allowed and "string" not in allowed:
        return _from_text(value, allowed, repairs)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and "string" in allowed and not allowed & {"number", "integer"}:
        repairs.add("NUMBER_TO_STRING")
        return json.dumps(canonical(value))
    return value


def _from_text(text: str, allowed: frozenset[str], repairs: set[str]) -> Any:
    if allowed & {"number", "integer"} and _NUMBER.fullmatch(text.strip()):
        repairs.add("STRING_TO_NUMBER")
        return _number(text.strip())
    if allowed & {"object", "array"}:
        return _decoded(text, allowed, repairs)
    return text


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _decoded(text: str, allowed: frozenset[str], repairs: set[str]) -> Any:
    value: Any = text
    for _ in range(MAX_DECODINGS):
        try:
            value, mended = parse_json(value.strip())
        except UnreadableError:
            return text
        if not isinstance(value, str):
            break
    wanted = {"object": dict, "array": list}
    if not any(isinstance(value, wanted[name]) for name in allowed & wanted.keys()):
        return text
    repairs.update(("DOUBLE_ENCODED", *mended))
    return value
