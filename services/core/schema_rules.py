"""Which JSON Schemas are taken: sound ones, that refer to themselves only, of bounded size."""

import json
from collections.abc import Iterable
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import DRAFT202012

from services.core.dialect import PATTERNS_ARE_LINEAR

Schema = dict[str, Any]

MAX_NODES: Final = 4_000
"""Values of any kind in a schema, itself included."""
MAX_NODES_TOGETHER: Final = 12_000
"""Values in all schemas of one request."""
MAX_SUBSCHEMAS: Final = 600
"""With these two, no schema takes more than about 50 ms to look at (0.4 ms for a tool of ten
parameters)."""
MAX_DEPTH: Final = 64
MAX_PATTERNS: Final = 32

_DRAFT: Final = "https://json-schema.org/draft/2020-12"
_VOCABULARIES: Final = (
    "core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content",
)  # fmt: skip
_LEVEL: Final = '{"type": ["object", "boolean"]}'


def problem_of(schema: Schema) -> str:
    """Why a schema is not taken; empty when it is."""
    if problem := size_problem(schema):
        return problem
    found = subschemas(schema)
    if problem := _count_problem(found) or _reference_problem(schema, found):
        return problem
    return next(filter(None, map(_keyword_problem, found)), "")


def size_problem(value: Any, *, most: int = MAX_NODES, deepest: int = MAX_DEPTH) -> str:
    """What of a JSON value is too large to be looked at closely; empty when nothing."""
    level, seen, depth = [value], 0, 0
    while level:
        seen, depth = seen + len(level), depth + 1
        if depth > deepest:
            return f"it is nested {depth} levels deep or deeper; {deepest} are allowed"
        if seen > most:
            return f"it holds {seen:,} values or more; {most:,} are allowed"
        level = [child for one in level for child in _children(one)]
    return ""


def _children(value: Any) -> Iterable[Any]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def subschemas(schema: Schema) -> list[Schema]:
    """The schema and all those in it, without the data that it holds."""
    found, todo = [], [schema]
    while todo:
        here = todo.pop()
        found.append(here)
        todo += _below(here)
    return found


def _below(schema: Schema) -> list[Schema]:
    """The schemas that stand right in a schema; none where its keywords are wrong."""
    try:
        return [s for s in DRAFT202012.subresources_of(schema) if isinstance(s, dict)]
    except (TypeError, AttributeError):
        return []


def _count_problem(found: list[Schema]) -> str:
    if len(found) > MAX_SUBSCHEMAS:
        return f"it holds {len(found):,} schemas; {MAX_SUBSCHEMAS:,} are allowed"
    patterns = sum(("pattern" in s) + len(s.get("patternProperties", ())) for s in found)
    if patterns > MAX_PATTERNS:
        return f"it holds {patterns} patterns; {MAX_PATTERNS} are allowed"
    return ""


def _keyword_problem(schema: Schema) -> str:
    """What is wrong with the keywords of one schema, those below it aside."""
    for key, value in schema.items():
        if error := _error(key, value):
            quoted = f"{str(error.instance)[:64]!r} {error.cause}" if error.cause else error.message
            return f"{key}{error.json_path[1:]}: {quoted}"[:512]
    if "patternProperties" in schema and "unevaluatedProperties" in schema:
        return "patternProperties and unevaluatedProperties cannot stand in one schema"
    return ""


def _error(key: str, value: Any) -> ValidationError | None:
    rule = _rules().get(key)
    return best_match(rule.iter_errors(value)) if rule is not None else None


@lru_cache(maxsize=1)
def _rules() -> dict[str, Any]:
    """What the metaschema says of each keyword; of subschemas only that they are schemas.

    The standard way looks through seven vocabularies at each level, which takes
    0.2 ms a subschema; this takes a tenth of that.
    """
    parts = [REGISTRY.contents(f"{_DRAFT}/meta/{name}") for name in _VOCABULARIES]
    level = [json.loads(json.dumps(p).replace('{"$dynamicRef": "#meta"}', _LEVEL)) for p in parts]
    return {
        key: Draft202012Validator(
            {**rule, "$defs": part.get("$defs", {})}, format_checker=PATTERNS_ARE_LINEAR
        )
        for part in level
        for key, rule in part["properties"].items()
        if isinstance(rule, dict)
    }


def _reference_problem(schema: Schema, found: list[Schema]) -> str:
    """Whether a reference leads to nothing, or round in a circle without taking a step."""
    schemas = {id(s) for s in found}
    applied: dict[int, set[int]] = {}
    for here in found:
        targets = _same_value(here)
        for key in ("$ref", "$dynamicRef"):
            if key not in here:
                continue
            target = pointed(here[key], schema)
            if not isinstance(target, bool) and id(target) not in schemas:
                return f"it refers to {str(here[key])[:128]!r}, which is no schema in it"
            targets.append(target)
        applied[id(here)] = {id(s) for s in targets if isinstance(s, dict)}
    try:
        TopologicalSorter(applied).prepare()
    except CycleError:
        return "it refers to itself without end"
    return ""


def _same_value(schema: Schema) -> list[Any]:
    """The schemas that a schema applies to the very value that it is for."""
    one_each = [schema.get(key) for key in ("not", "if", "then", "else")]
    lists = [schema.get(key) for key in ("allOf", "anyOf", "oneOf")]
    dependent = schema.get("dependentSchemas")
    return [
        *one_each,
        *(s for several in lists if isinstance(several, list) for s in several),
        *(dependent.values() if isinstance(dependent, dict) else ()),
    ]


def pointed(reference: Any, root: Any) -> Any:
    """What `#` or `#/a/0/b` points to in a schema; None when it is nothing, or another reference."""
    if not isinstance(reference, str) or not f"{reference}/".startswith("#/"):
        return None
    target: Any = root
    for step in reference.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and key.isdecimal() and len(key) < 8:
            target = target[int(key)] if int(key) < len(target) else None
        else:
            target = target.get(key) if isinstance(target, dict) else None
    return target
