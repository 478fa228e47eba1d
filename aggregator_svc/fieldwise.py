"""Decides between structured answers field by field: values in, one answer out. No I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from aggregator_svc.voting import TIE, Count, Floats, margin
from services.core.equality import dumped

Path = tuple[str | int, ...]
"""Keys from the top to a field; of a tool call its name and its number among those of that name."""

ABSENT: Final = ""
"""Form of a field that an answer does not have; no JSON text is empty."""


@dataclass(frozen=True, slots=True)
class FieldVote:
    """The answer that agrees best, field by field."""

    chosen: int
    """Index of the answer; its fields are its own."""
    agreement: float
    """Share of the fields in [0, 1] at which it says what most say."""
    support: float
    """Least share of all weight, in [0, 1], behind any one field of the chosen answer."""
    winners: Mapping[Path, str]
    """What most say at each field, as JSON text, or ABSENT."""
    shares: Mapping[Path, float]
    """Share of all weight behind that, in [0, 1]."""
    said: Mapping[Path, Mapping[int, str]]
    """What the answers of the heaviest shape say at each field."""
    undecided: frozenset[Path]
    """Fields at which weights and priors part no two forms."""


def field_vote(values: Sequence[Any], weights: Floats, priors: Floats) -> FieldVote:
    """Vote on the shape, then on each field, and take the whole answer nearest to the outcome.

    Fields of different answers are never mixed.

    Parameters
    ----------
    values : sequence of JSON values, length n
        Canonical answers. Not empty.
    weights : ndarray of float64, shape (n,)
        What each counts, >= 0.
    priors : ndarray of float64, shape (n,)
        Probability in [0, 1] that each juror is right; NaN when unknown.

    Returns
    -------
    FieldVote
        The shape is the kind of value, or which tools are called how often.
        Only answers of the heaviest shape vote on fields and can be chosen.
        Ties go to the better prior, then to the least JSON text.

    Raises
    ------
    ValueError
        If there are no values, or the lengths differ.

    Examples
    --------
    >>> equal, unknown = np.ones(3), np.full(3, np.nan)
    >>> answers = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 3, "b": 2}]
    >>> field_vote(answers, equal, unknown).chosen
    1
    """
    if not values or not len(values) == weights.size == priors.size:
        raise ValueError("values, weights and priors must match and not be empty")
    known = np.where(np.isnan(priors), -1.0, priors)
    shapes = [_shape(value) for value in values]
    shape, _ = _heaviest(shapes, weights, known)
    voters = [i for i, own in enumerate(shapes) if own == shape]
    fields = {i: fields_of(values[i]) for i in voters}
    paths = sorted({path for own in fields.values() for path in own}, key=repr)
    said = {path: {i: fields[i].get(path, ABSENT) for i in voters} for path in paths}
    votes = {
        path: _heaviest(list(said[path].values()), weights[voters], known[voters]) for path in paths
    }
    winners = {path: form for path, (form, _) in votes.items()}
    agreed = {i: sum(said[path][i] == won for path, won in winners.items()) for i in voters}
    chosen = min(voters, key=lambda i: (-agreed[i], -known[i], dumped(values[i]), i))
    return FieldVote(
        chosen=chosen,
        agreement=agreed[chosen] / len(paths) if paths else 1.0,
        support=min(
            (_behind(said[p], said[p][chosen], weights) for p in fields[chosen]), default=1.0
        ),
        winners=winners,
        shares={path: _behind(said[path], won, weights) for path, won in winners.items()},
        said=said,
        undecided=frozenset(path for path, (_, decided) in votes.items() if not decided),
    )


def _behind(said: Mapping[int, str], form: str, weights: Floats) -> float:
    total = float(weights.sum())
    own = sum(float(weights[i]) for i, other in said.items() if other == form)
    return min(1.0, own / total) if total > 0.0 else 0.0


def by_fields(count: Count, found: FieldVote, *, min_share: float) -> Count:
    """The count, led by the class of the answer that agrees best field by field.

    It is a consensus only if that answer says at every field what most say,
    each with `min_share` of all weight behind it.
    """
    leader = next(c for c in count.classes if found.chosen in c.members)
    others = [c for c in count.classes if c is not leader]
    reason_text = _objection(found, min_share)
    return replace(
        count,
        classes=tuple(sorted(count.classes, key=lambda c: (-c.weight, c is not leader, c.key))),
        leader=leader,
        margin=margin([leader.share, *(c.share for c in others)]),
        consensus=not reason_text,
        reason_text=reason_text,
    )


def _objection(found: FieldVote, min_share: float) -> str:
    if found.agreement < 1.0 - TIE:
        return f"no answer says at every field what most say; the nearest at {found.agreement:.0%}"
    if found.support < min_share - TIE:
        return (
            f"a field has {found.support:.0%} of the weight behind it; {min_share:.0%} are needed"
        )
    return ""


def _shape(value: Any) -> str:
    calls = calls_of(value)
    if calls is not None:
        return dumped(sorted(call["name"] for call in calls))
    return type(value).__name__ if isinstance(value, dict | list) else "scalar"


def calls_of(value: Any) -> list[dict[str, Any]] | None:
    """The tool calls that a canonical value consists of; None when it is none."""
    match value:
        case {"tool_calls": list() as calls} if len(value) == 1 and all(map(_is_call, calls)):
            return calls
        case _:
            return None


def _is_call(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str) and "arguments" in item


def _heaviest(forms: Sequence[str], weights: Floats, known: Floats) -> tuple[str, bool]:
    """The form with most weight behind it, and whether weight or prior tells it from the others."""
    total, best = Counter[str](), dict[str, float]()
    for form, weight, prior in zip(forms, weights.tolist(), known.tolist(), strict=True):
        total[form] += weight
        best[form] = max(best.get(form, -1.0), prior)
    most = max(total.values()) - TIE
    heaviest = [form for form in total if total[form] >= most]
    likely = [f for f in heaviest if best[f] >= max(best[form] for form in heaviest) - TIE]
    return min(likely), len(likely) == 1


def fields_of(value: Any) -> dict[Path, str]:
    """The fields of a canonical value as JSON texts: lists count whole, objects by their keys."""
    calls = calls_of(value)
    if calls is None:
        return dict(_leaves(value, ()))
    seen, found = Counter[str](), dict[Path, str]()
    for call in calls:
        start: Path = (call["name"], seen[call["name"]])
        seen[call["name"]] += 1
        found |= dict(_leaves(call["arguments"], start))
    return found


def _leaves(value: Any, path: Path) -> list[tuple[Path, str]]:
    if not isinstance(value, dict) or not value:
        return [(path, dumped(value))]
    return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
