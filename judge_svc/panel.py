"""Several judges compare the same answers; each counts by how reliable it was found. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from judge_svc.ranking import Comparison


@dataclass(frozen=True, slots=True)
class Vote:
    """What one judge of a panel said of a pair."""

    judge: str
    comparison: Comparison


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


def recused(judges: Sequence[str], jurors: Collection[str]) -> list[str]:
    """Judges that are not in the jury: nobody judges what it took part in."""
    return [judge for judge in judges if judge not in jurors]


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
