"""One ranking out of several. Pure."""

from collections.abc import Hashable, Sequence
from typing import Final, TypeVar

K: Final = 60
"""The paper's constant: how little the first ranks count more than those after them."""

Item = TypeVar("Item", bound=Hashable)


def fused(rankings: Sequence[Sequence[Item]], *, k: int = K) -> list[Item]:
    """Reciprocal rank fusion: what several rankings place high comes first.

    Parameters
    ----------
    rankings : sequence of sequences
        Each best first, without repeats. They need not hold the same items.
    k : int
        Smoothing, >= 0.

    Returns
    -------
    list
        All items by falling sum of 1 / (k + rank), ranks from 1. Equal sums keep
        the order of first appearance.

    References
    ----------
    .. [1] G. V. Cormack, C. L. A. Clarke, S. Buettcher. Reciprocal rank fusion
       outperforms Condorcet and individual rank learning methods. SIGIR 2009.

    Examples
    --------
    >>> fused([["a", "b", "c"], ["b", "d"]])
    ['b', 'a', 'd', 'c']
    """
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return sorted(scores, key=lambda item: -scores[item])
