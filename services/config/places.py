"""Places in a configuration: the value that stands there, and the section it belongs to."""

from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from services.config.document import Loc
from services.config.tree import (
    CascadeEnsemble,
    Config,
    JuryEnsemble,
    RouteEnsemble,
    Section,
    SpecialistsEnsemble,
)

ENSEMBLES: Final[dict[object, type[Section]]] = {
    "route": RouteEnsemble,
    "cascade": CascadeEnsemble,
    "jury": JuryEnsemble,
    "specialists": SpecialistsEnsemble,
}
"""Kinds of ensemble by pattern."""


def place(loc: Loc) -> Loc:
    """Drop the step that the validator adds to name the kind of an ensemble."""
    tagged = loc[:1] == ("ensembles",) and len(loc) > 2 and loc[2] in ENSEMBLES
    return loc[:2] + loc[3:] if tagged else loc


def dotted(loc: Loc) -> str:
    """`models.gpt.price`, `ensembles.default.jurors[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return "".join(steps).removeprefix(".")


def value_at(data: Any, loc: Loc) -> Any:
    """What the document has at a place; None if nothing."""
    for step in loc:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def section_at(loc: Loc) -> type[BaseModel] | None:
    """The section that a validator's location leads to; None if there is none."""
    kind: type[BaseModel] | None = Config
    steps = iter(loc)
    for step in steps:
        field = kind.model_fields.get(str(step)) if kind else None
        if field is None:
            return None
        if _is_container(field.annotation):
            next(steps, None)
        kinds = list(_sections(field.annotation))
        kind = ENSEMBLES.get(next(steps, None)) if len(kinds) > 1 else next(iter(kinds), None)
    return kind


def _is_container(annotation: Any) -> bool:
    return any(get_origin(part) in {dict, tuple} for part in (annotation, *get_args(annotation)))


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """Sections that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)
