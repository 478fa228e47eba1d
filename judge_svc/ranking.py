"""From comparisons in both orders to standings. No I/O, no clock, no randomness."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Better = Literal["one", "two", "tie"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a judge said of two answers, shown in both orders."""

    first: int
    second: int
    """Indices of the answers."""
    forwards: Better
    """With `first` shown as one."""
    backwards: Better
    """With `second` shown as one."""

    @property
    def score(self) -> float:
        """The first answer's, in [-1, 1]: the mean of both orders; 0 when they contradict."""
        if self.position_inconsistent:
            return 0.0
        return (_points(self.forwards) - _points(self.backwards)) / 2

    @property
    def position_inconsistent(self) -> bool:
        """Whether the place in which an answer was shown decided."""
        return self.forwards == self.backwards != "tie"


class Compared(Protocol):
    """How two answers compared, whoever said so."""

    @property
    def first(self) -> int: ...
    @property
    def second(self) -> int: ...
    @property
    def score(self) -> float:
        """The first answer's, in [-1, 1]."""
        ...

    @property
    def position_inconsistent(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How one answer compared."""

    answer: int
    score: float
    """Mean of its comparisons, in [-1, 1]."""
    comparisons: int
    position_inconsistent: bool


def _points(better: Better) -> float:
    return {"one": 1.0, "two": -1.0, "tie": 0.0}[better]


def standings(n_answers: int, comparisons: Sequence[Compared]) -> list[Standing]:
    """Each answer's mean score, best first; of equals, the first one first.

    Answers without a comparison come last.

    Notes
    -----
    Judges favour a position; scoring both orders, s = (f(A, B) - f(B, A)) / 2,
    cancels that [1]_.

    References
    ----------
    .. [1] P. Wang et al. Large Language Models are not Fair Evaluators.
       arXiv:2305.17926, 2023.

    Examples
    --------
    >>> [s.answer for s in standings(2, [Comparison(0, 1, "two", "one")])]
    [1, 0]
    """
    found = [_standing(answer, comparisons) for answer in range(n_answers)]
    return sorted(found, key=lambda s: (not s.comparisons, -s.score, s.answer))


def _standing(answer: int, comparisons: Sequence[Compared]) -> Standing:
    own = [c for c in comparisons if answer in {c.first, c.second}]
    scores = [c.score if c.first == answer else -c.score for c in own]
    return Standing(
        answer=answer,
        score=sum(scores) / len(scores) if scores else 0.0,
        comparisons=len(own),
        position_inconsistent=any(c.position_inconsistent for c in own),
    )


def pairs(n_answers: int) -> list[tuple[int, int]]:
    """All pairs, so ordered that the first ones already take in every answer.

    Examples
    --------
    >>> pairs(4)
    [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]
    """
    return [(i, i + gap) for gap in range(1, n_answers) for i in range(n_answers - gap)]
