"""Puts an answer together from the fields of several: a vote in, a value and its sources out."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aggregator_svc.fieldwise import ABSENT, FieldVote, Path, calls_of
from aggregator_svc.voting import TIE, Floats, known
from services.core.equality import dumped, sound


@dataclass(frozen=True, slots=True)
class Splice:
    """Which answer gives which field. Indices are those of the values."""

    base: int
    """The answer that agrees best; it gives whatever it says as most do."""
    givers: Mapping[Path, int]
    """Who gives each field of the result."""
    left_out: tuple[Path, ...]
    """Fields of the base that the result lacks."""
    support: float
    """Least share of all weight, in [0, 1], behind any one field."""
    shares: Mapping[Path, float]

    @property
    def foreign(self) -> dict[Path, int | None]:
        """Fields that are not as in the base: who gives them; None where most leave them out."""
        given = {path: giver for path, giver in self.givers.items() if giver != self.base}
        return {**given, **dict.fromkeys(self.left_out, None)}


def splice(
    found: FieldVote, values: Sequence[Any], weights: Floats, priors: Floats, *, min_share: float
) -> Splice | None:
    """What most say at every field, put together around the answer that agrees best.

    Parameters
    ----------
    found : FieldVote
        The vote on the values' fields.
    values : sequence of JSON values, length n
        Canonical answers.
    weights : ndarray of float64, shape (n,)
        What each counts, >= 0.
    priors : ndarray of float64, shape (n,)
        Probability in [0, 1] that each juror is right; NaN when unknown.
    min_share : float
        Share of all weight in [0, 1] that every field needs.

    Returns
    -------
    Splice or None
        None where one answer says it all, where a field has too little
        behind it or is tied, or where nothing would be left of a field that
        most have, each otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from aggregator_svc.fieldwise import field_vote
    >>> answers = [{"a": 1, "b": 2, "c": 9}, {"a": 1, "b": 8, "c": 3}, {"a": 7, "b": 2, "c": 3}]
    >>> equal, unknown = np.ones(3), np.full(3, np.nan)
    >>> vote = field_vote(answers, equal, unknown)
    >>> found = splice(vote, answers, equal, unknown, min_share=0.5)
    >>> found.base, found.foreign
    (0, {('c',): 1})
    """
    kept = [path for path, form in found.winners.items() if form != ABSENT]
    support = min(found.shares.values(), default=0.0)
    if found.agreement >= 1.0 - TIE or support < min_share - TIE or found.undecided:
        return None
    if _lacks(found, kept, weights):
        return None
    return Splice(
        base=found.chosen,
        givers={path: _giver(found, path, values, priors) for path in kept},
        left_out=tuple(
            path
            for path, form in found.winners.items()
            if form == ABSENT and found.said[path][found.chosen] != ABSENT
        ),
        support=support,
        shares=found.shares,
    )


def _lacks(found: FieldVote, kept: Sequence[Path], weights: Floats) -> bool:
    """Whether there would be nothing where most have something, only not the same."""
    having: dict[Path, set[int]] = {}
    for path, forms in found.said.items():
        voters = {i for i, form in forms.items() if form != ABSENT}
        for place in _places(path):
            having.setdefault(place, set()).update(voters)
    there = {place for path in kept for place in _places(path)}
    half = 0.5 * float(weights.sum())
    return any(weights[sorted(having[place])].sum() > half for place in having.keys() - there)


def _places(path: Path) -> list[Path]:
    """The path and all that lead to it."""
    return [path[:depth] for depth in range(len(path) + 1)]


def _giver(found: FieldVote, path: Path, values: Sequence[Any], priors: Floats) -> int:
    """The base where it says so, else the likeliest of those who do."""
    saying = [i for i, form in found.said[path].items() if form == found.winners[path]]
    if found.chosen in saying:
        return found.chosen
    return min(saying, key=lambda i: (-known(float(priors[i])), dumped(values[i]), i))


def assembled(found: Splice, values: Mapping[int, Any]) -> Any:
    """The value that a splice describes, from the givers' and the base's values."""
    nodes = {giver: _nodes(values[giver]) for giver in set(found.givers.values())}
    calls = calls_of(values[found.base])
    depth = 0 if calls is None else 2
    parts: dict[Path, Any] = {}
    for path, giver in found.givers.items():
        start, below = path[:depth], path[depth:]
        value = nodes[giver][path]
        if not below:
            parts[start] = value
            continue
        inner = parts.setdefault(start, {})
        for step in below[:-1]:
            inner = inner.setdefault(step, {})
        inner[below[-1]] = value
    if calls is None:
        return parts[()]
    return {
        "tool_calls": [
            {"name": call["name"], "arguments": parts.get(start, {})}
            for call, start in zip(calls, call_starts(calls), strict=True)
        ]
    }


def _nodes(value: Any) -> dict[Path, Any]:
    """Everything in a value by its path; of calls, everything in their arguments."""
    calls = calls_of(value)
    if calls is None:
        return dict(_below(value, ()))
    starts = zip(calls, call_starts(calls), strict=True)
    return {p: node for call, start in starts for p, node in _below(call["arguments"], start)}


def _below(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _below(item, (*path, sound(key)))


def call_starts(calls: Sequence[Mapping[str, Any]]) -> list[Path]:
    """The path of each call: its name, and its number among those of that name."""
    seen = Counter[str]()
    starts: list[Path] = []
    for call in calls:
        starts.append((call["name"], seen[call["name"]]))
        seen[call["name"]] += 1
    return starts


def pointers(paths: Iterable[Path], calls: Sequence[Mapping[str, Any]] | None) -> dict[Path, str]:
    """Paths as JSON Pointers into the JSON, or into the list of calls.

    Examples
    --------
    >>> pointers([("a/b", "c")], None)
    {('a/b', 'c'): '/a~1b/c'}
    >>> pointers([("t", 1, "x")], [{"name": "u"}, {"name": "t"}, {"name": "t"}])
    {('t', 1, 'x'): '/2/arguments/x'}
    """
    if calls is None:
        return {path: _pointer(path) for path in paths}
    places = {start: nth for nth, start in enumerate(call_starts(calls))}
    return {path: _pointer((places[path[:2]], "arguments", *path[2:])) for path in paths}


def _pointer(steps: Path) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def written(value: Any) -> str:
    """JSON text of a value as a person reads it."""
    return sound(json.dumps(value, ensure_ascii=False))
