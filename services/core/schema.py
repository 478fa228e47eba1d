"""Decides whether a value is what a JSON Schema (draft 2020-12) asks for."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

Schema = Mapping[str, Any]

MAX_REFERENCES: Final = 16
NOTHING: Final[Schema] = {}


def schema_problem(schema: Schema) -> str:
    """Why a schema is no usable draft 2020-12 schema; empty when it is one."""
    return _problem(_text(schema))


def violation(value: Any, schema: Schema) -> str:
    """What a value breaks of a usable schema, as one sentence; empty when nothing."""
    try:
        error = best_match(_validator(_text(schema)).iter_errors(value))
    except Unresolvable as err:
        return f"the schema refers to nothing: {err}"
    except RecursionError:
        return "the schema refers to itself without end"
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
            todo += [_target(part.get("$ref"), root), *part.get("allOf", ())]
            todo += [_fitting(part.get(key, ()), root, value) for key in ("anyOf", "oneOf")]
    return merged


def _merged(one: Schema, other: Schema) -> dict[str, Any]:
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    required = [*one.get("required", ()), *other.get("required", ())]
    return {**one, **other, "properties": properties, "required": required}


def _target(reference: Any, root: Schema) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    target: Any = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        target = target.get(key) if isinstance(target, Mapping) else None
    return target


def _fitting(branches: Any, root: Schema, value: Any) -> Any:
    whole = _validator(_text(root)) if branches else None
    return next((b for b in branches if whole and _fits(whole, b, value)), None)


def _fits(whole: Draft202012Validator, branch: Any, value: Any) -> bool:
    try:
        return whole.evolve(schema=branch).is_valid(value)
    except (Unresolvable, RecursionError):
        return False


def types(schema: Schema) -> frozenset[str]:
    """The types that a schema names; empty when it names none."""
    declared = schema.get("type", ())
    return frozenset((declared,) if isinstance(declared, str) else declared)


def _text(schema: Schema) -> str:
    return json.dumps(schema, separators=(",", ":"))


@lru_cache(maxsize=256)
def _validator(text: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(text), registry=Registry())  # nothing is fetched


@lru_cache(maxsize=256)
def _problem(text: str) -> str:
    schema = json.loads(text)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as err:
        return f"{err.json_path}: {err.message}"[:512]
    except RecursionError:
        return "nested too deeply"
    return ""
