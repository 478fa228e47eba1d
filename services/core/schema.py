"""Decides whether a value is what a JSON Schema (draft 2020-12) asks for."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from jsonschema.exceptions import best_match
from referencing import Registry

from services.core import schema_rules
from services.core.dialect import PER_KEYWORD, Validator, bounded_work, spend

Schema = Mapping[str, Any]

MAX_REFERENCES: Final = 16
NOTHING: Final[Schema] = {}


def schema_problem(schema: Schema) -> str:
    """Why a schema is not taken; empty when it is: draft 2020-12, bounded, no reference out of it."""
    return schema_rules.size_problem(schema) or _problem(_text(schema))


def schemas_problem(schemas: Sequence[Schema]) -> str:
    """Why the schemas of one request are too much together; empty when they are not."""
    most, deepest = schema_rules.MAX_NODES_TOGETHER, schema_rules.MAX_DEPTH + 1
    return schema_rules.size_problem(list(schemas), most=most, deepest=deepest)


class Prepared(dict[str, Any]):
    """A schema in which nothing names its dialect or address, and its validator.

    jsonschema would check a part that names a dialect by the standard class of
    that dialect, without our bounds, and resolve references against addresses.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        for part in schema_rules.subschemas(self):
            for key in ("$schema", "$id"):
                part.pop(key, None)
        self.validator = Validator(self, registry=Registry())  # nothing is fetched


def prepared(schema: Schema) -> Prepared:
    """A schema, ready to read answers by."""
    return schema if isinstance(schema, Prepared) else _prepared(_text(schema))


def violation(value: Any, schema: Schema) -> str:
    """What a value breaks of a schema that is taken, as one sentence; empty when nothing.

    Raises
    ------
    UnreadableError
        If that takes too many steps to tell; the reason is TOO_COSTLY.
    """
    try:
        with bounded_work():
            error = best_match(prepared(schema).validator.iter_errors(value))
    except RecursionError:
        return "the schema refers to itself too often"
    if error is None:
        return ""
    return f"{error.json_path}: {error.message}"[:512]


def shape(schema: Any, root: Schema, value: Any) -> Schema:
    """What a schema says of one value, with `$ref`, `allOf`, `anyOf` and `oneOf` merged in.

    Of alternatives the first counts that the value satisfies. References that
    lead elsewhere than into `root` add nothing.
    """
    merged: Schema = NOTHING
    todo = [schema]
    for _ in range(MAX_REFERENCES):
        if not todo:
            break
        part = todo.pop(0)
        if isinstance(part, Mapping):
            merged = _merged(merged, part)
            todo += [schema_rules.pointed(part.get("$ref"), root), *part.get("allOf", ())]
            todo += [_fitting(part.get(key, ()), root, value) for key in ("anyOf", "oneOf")]
    return merged


def _merged(one: Schema, other: Schema) -> dict[str, Any]:
    spend(PER_KEYWORD + len(other) + 4 * len(other.get("properties", ())))
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    required = [*one.get("required", ()), *other.get("required", ())]
    return {**one, **other, "properties": properties, "required": required}


def _fitting(branches: Any, root: Schema, value: Any) -> Any:
    return next((branch for branch in branches if _fits(root, branch, value)), None)


def _fits(root: Schema, branch: Any, value: Any) -> bool:
    try:
        with bounded_work():
            return bool(prepared(root).validator.evolve(schema=branch).is_valid(value))
    except RecursionError:
        return False


def types(schema: Schema) -> frozenset[str]:
    """The types that a schema names; empty when it names none."""
    declared = schema.get("type", ())
    return frozenset((declared,) if isinstance(declared, str) else declared)


def _text(schema: Schema) -> str:
    return json.dumps(schema, separators=(",", ":"))


@lru_cache(maxsize=256)
def _prepared(text: str) -> Prepared:
    return Prepared(json.loads(text))


@lru_cache(maxsize=256)
def _problem(text: str) -> str:
    return schema_rules.problem_of(json.loads(text))
