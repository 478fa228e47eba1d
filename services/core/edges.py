"""What of an output a goal reads: all of it, or a field that its schema has. Pure."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from services.core.extract import readings
from services.core.graph import Fault
from services.core.prompts import OutputFormat
from services.core.templates import places
from services.core.unreadable import UnreadableError

PROMPT: Final = "prompt"
"""The place of the question."""

Source = tuple[str, tuple[str, ...]]
"""A step, and the keys that lead to the field within its output; none: all of it."""


def source(place: str, steps: Collection[str]) -> Source | None:
    """Which of the steps a place reads, and what of it; None: none of them.

    Examples
    --------
    >>> source("facts.city.name", ["facts"]), source("a.b", ["a", "a.b"]), source("x", ["a"])
    (('facts', ('city', 'name')), ('a.b', ()), None)
    """
    if place in steps:
        return place, ()
    named = [step for step in steps if place.startswith(f"{step}.")]
    if not named:
        return None
    step = max(named, key=len)
    return step, tuple(place[len(step) + 1 :].split("."))


def sources(template: str, steps: Collection[str]) -> list[str]:
    """The steps that a template reads, each once, and places that name none as they are."""
    named = ((source(place, steps) or (place, ()))[0] for place in _asked(template))
    return list(dict.fromkeys(named))


def edge_faults(
    step: str, goal: str, reads: Sequence[str], formats: Mapping[str, OutputFormat | None]
) -> Iterator[Fault]:
    """What a goal reads that no output before it can have.

    `formats` has the shape of each step's output; None: prose.
    """
    for place in _asked(goal):
        found = source(place, reads)
        if found is None:
            yield Fault(step, f"`{{{place}}}` is the output of no step in `depends_on`")
            continue
        read, path = found
        if path and not _has(formats.get(read), path):
            text = f"`{{{place}}}` is no field that the `json_schema` of `{read}` describes"
            yield Fault(step, text)


def field_of(text: str, path: Sequence[str]) -> str:
    """A field of an output that is JSON, a string as it is; empty: it is not there.

    Examples
    --------
    >>> field_of('{"city": {"name": "Lima", "size": 10}}', ["city", "name"])
    'Lima'
    >>> field_of('{"city": {"name": "Lima", "size": 10}}', ["city"])
    '{"name": "Lima", "size": 10}'
    """
    try:
        value: Any = next(readings(text))[0]
    except (UnreadableError, StopIteration):
        return ""
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return ""
        value = value[key]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _asked(template: str) -> list[str]:
    return [place for place in places(template) if place != PROMPT]


def _has(form: OutputFormat | None, path: Sequence[str]) -> bool:
    schema: Any = form.schema if form is not None and form.kind == "json" else None
    for key in path:
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        if not isinstance(properties, Mapping) or key not in properties:
            return False
        schema = properties[key]
    return True
