"""Several judges compare the same answers; each counts by how reliable it was found. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judge_svc.ranking import Comparison


@dataclass(frozen=True, slots=True)
class Vote:
    """What one judge of a panel said of a pair."""

    judge: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a panel says of two answers together."""

    first: int
    second: int
    score: float
    """The first answer's, in [-1, 1]."""
    position_inconsistent: bool
    """Whether any judge's word depended on the order."""


def seated(judges: Sequence[str], reliabilities: Mapping[str, float]) -> list[str]:
    """Judges whose word counts, the most reliable first; of equals, the first one first.

    A judge that nothing was learned of does not count, nor one whose learned
    weight is not above zero: it misleads.

    Examples
    --------
    >>> seated(["a", "b", "c"], {"a": 0.4, "b": 1.2, "c": 0.0})
    ['b', 'a']
    """
    heard = [judge for judge in judges if reliabilities.get(judge, 0.0) > 0.0]
    return sorted(heard, key=lambda judge: -reliabilities[judge])


def panel_score(votes: Sequence[Vote], reliabilities: Mapping[str, float]) -> float | None:
    """The panel's score of a pair in [-1, 1], 1 for the first answer; None without a vote.

    Antisymmetric, for each judge has seen both orders: exchanging the answers
    exchanges the sign. Zero weights and negative ones do not count.

    Examples
    --------
    >>> votes = [Vote("a", Comparison(0, 1, "one", "two")), Vote("b", Comparison(0, 1, "two", "one"))]
    >>> panel_score(votes, {"a": 3.0, "b": 1.0})
    0.5
    """
    weights = [max(0.0, reliabilities.get(vote.judge, 0.0)) for vote in votes]
    if not any(weights):
        return None
    scores = [vote.comparison.score for vote in votes]
    return sum(w * s for w, s in zip(weights, scores, strict=True)) / sum(weights)


def ruling(votes: Sequence[Vote], reliabilities: Mapping[str, float]) -> Ruling:
    """What a panel says of one pair; at least one vote of a judge that counts."""
    pair = votes[0].comparison
    return Ruling(
        first=pair.first,
        second=pair.second,
        score=panel_score(votes, reliabilities) or 0.0,
        position_inconsistent=any(vote.comparison.position_inconsistent for vote in votes),
    )


def by_pair(votes: Sequence[Vote]) -> list[list[Vote]]:
    """Votes on the same pair together."""
    found: dict[tuple[int, int], list[Vote]] = {}
    for vote in votes:
        found.setdefault((vote.comparison.first, vote.comparison.second), []).append(vote)
    return list(found.values())
