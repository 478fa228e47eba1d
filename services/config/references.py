"""Names in a configuration that lead nowhere. Works on a document with other faults too."""

from difflib import get_close_matches
from typing import Any

from services.config.document import Loc
from services.config.places import value_at


def unknown_references(data: Any) -> list[tuple[Loc, str]]:
    """Places that name a model or an ensemble that the document does not have."""
    models = _keys(value_at(data, ("models",)))
    ensembles = _keys(value_at(data, ("ensembles",)))
    named = [*_recorders(data), *(ref for name in ensembles for ref in _asked(data, name))]
    nested = [ref for name in ensembles for ref in _texts(data, _doers(data, name, "ensemble"))]
    found = [(loc, _no_such("model", name, models)) for loc, name in named if name not in models]
    found += [
        (loc, _no_such("ensemble", name, ensembles))
        for loc, name in nested
        if name not in ensembles
    ]
    default = value_at(data, ("default_ensemble",))
    if isinstance(default, str) and default not in ensembles:
        found.append((("default_ensemble",), _no_such("ensemble", default, ensembles)))
    return found


def _no_such(what: str, name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(sorted(known))}"
    return f"no {what} is called `{name}`; {hint}"


def _recorders(data: Any) -> list[tuple[Loc, str]]:
    places: list[Loc] = [("models", name, "record") for name in _keys(value_at(data, ("models",)))]
    return _texts(data, places)


def _asked(data: Any, ensemble: str) -> list[tuple[Loc, str]]:
    """Jurors, judges and synthesisers that one ensemble names."""
    start: Loc = ("ensembles", ensemble)
    tiers: list[Loc] = [start, *_items(data, (*start, "tiers"))]
    jurors = [juror for tier in tiers for juror in _items(data, (*tier, "jurors"))]
    others = [
        loc for key in ("judge", "synthesis") for loc in _items(data, (*start, key, "models"))
    ]
    lone: list[Loc] = [(*start, "merge", "model"), (*start, "planner", "model")]
    steps = [*_doers(data, ensemble, "model"), *_doers(data, ensemble, "fallback")]
    return _texts(data, [*((*juror, "model") for juror in jurors), *steps, *lone, *others])


def _doers(data: Any, ensemble: str, key: str) -> list[Loc]:
    """Places of a key in each step or specialist of an ensemble, and in who answers alone."""
    start: Loc = ("ensembles", ensemble)
    within = [(*start, part) for part in ("steps", "specialists")]
    named: list[Loc] = [(*at, one, key) for at in within for one in _keys(value_at(data, at))]
    return [*named, (*start, "direct", key)]


def _items(data: Any, loc: Loc) -> list[Loc]:
    items = value_at(data, loc)
    return [(*loc, index) for index in range(len(items))] if isinstance(items, list) else []


def _texts(data: Any, places: list[Loc]) -> list[tuple[Loc, str]]:
    found = ((loc, value_at(data, loc)) for loc in places)
    return [(loc, text) for loc, text in found if isinstance(text, str)]


def _keys(mapping: Any) -> list[str]:
    return [str(key) for key in mapping] if isinstance(mapping, dict) else []
