"""Votes of the same jurors as arrays. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Final

import numpy as np

from services.report.agreement import NONE
from services.report.figures import Bools, Floats, Ints
from services.report.rows import Vote

WEIGHED: Final = 2_000
"""Latest votes that weights of jurors are read from."""
BY_VOTE: Final = frozenset(
    {"codes", "heard", "waited_for", "right", "labelled", "same", "usd", "whole", "alone"}
)
"""Parts that have a row for each vote."""


@dataclass(frozen=True)
class Ballots:
    """What m jurors said to n prompts. Without slots, so that its parts are made once."""

    jurors: tuple[str, ...]
    votes: tuple[Vote, ...]

    @cached_property
    def codes(self) -> Ints:
        """Class of each ballot, one number for a class over all prompts; -1: none."""
        numbers: dict[str, int] = {"": NONE}
        found = [
            [
                numbers.setdefault(vote.keys.get(juror, ""), len(numbers) - 1)
                for juror in self.jurors
            ]
            for vote in self.votes
        ]
        return self._shaped(np.array(found, dtype=np.intp))

    @cached_property
    def heard(self) -> Bools:
        """Whether each juror gave an answer, usable or not."""
        found = [[juror in vote.keys for juror in self.jurors] for vote in self.votes]
        return self._shaped(np.array(found, dtype=bool))

    @cached_property
    def waited_for(self) -> Bools:
        """Whether it is known what each juror would have come to: an answer, or its failure."""
        lost = [[juror in vote.lost for juror in self.jurors] for vote in self.votes]
        known: Bools = self.heard | self._shaped(np.array(lost, dtype=bool))
        return known

    @cached_property
    def right(self) -> Bools:
        """Whether each juror was right; meaningless where nothing is known."""
        found = [
            [bool((vote.right or {}).get(juror)) for juror in self.jurors] for vote in self.votes
        ]
        return self._shaped(np.array(found, dtype=bool))

    @cached_property
    def labelled(self) -> Bools:
        """Whether it is known who was right, shape (n,)."""
        return np.array([vote.right is not None for vote in self.votes], dtype=bool)

    @cached_property
    def whole(self) -> Bools:
        """Whether nobody was cut off, shape (n,)."""
        return np.asarray(self.waited_for.all(axis=1), dtype=bool)

    @cached_property
    def same(self) -> Bools:
        """Whether each juror alone would have come to what the vote did."""
        found = [
            [bool(vote.given) and vote.keys.get(juror) == vote.given for juror in self.jurors]
            for vote in self.votes
        ]
        return self._shaped(np.array(found, dtype=bool))

    @cached_property
    def usd(self) -> Floats:
        """What each juror cost; 0 where it was not asked."""
        found = [[vote.usd.get(juror, 0.0) for juror in self.jurors] for vote in self.votes]
        return self._shaped(np.array(found, dtype=np.float64))

    @cached_property
    def weights(self) -> Floats:
        """What each juror's ballot counts, shape (m,), as the votes were counted.

        Of what classes weighed, the weights that fit all of them best: exactly
        those that were used, unless these changed from vote to vote.
        """
        told = [vote for vote in self.votes if vote.weights][-WEIGHED:]
        rows = [
            ([vote.keys.get(juror) == key for juror in self.jurors], weight)
            for vote in told
            for key, weight in vote.weights.items()
        ]
        if 2 * len(told) < min(len(self.votes), WEIGHED) or not rows:
            return np.ones(len(self.jurors))
        members, weights = zip(*rows, strict=True)
        found, *_ = np.linalg.lstsq(np.array(members, dtype=np.float64), np.array(weights))
        return np.maximum(found, 0.0) if found.max() > 0.0 else np.ones(len(self.jurors))

    @cached_property
    def alone(self) -> Bools:
        """Whether nobody else gave a ballot, shape (n,)."""
        own = set(self.jurors)
        return np.array([own.issuperset(vote.keys) for vote in self.votes], dtype=bool)

    @property
    def classes(self) -> int:
        """Different ballots that were cast at all."""
        return int(self.codes.max(initial=-1)) + 1

    def only(self, chosen: Bools) -> "Ballots":
        """The votes on some of the prompts, counted as all are."""
        kept = Ballots(self.jurors, tuple(compress(self.votes, chosen)))
        rows = {name: made[chosen] for name, made in self.__dict__.items() if name in BY_VOTE}
        kept.__dict__.update(rows, weights=self.weights)
        return kept

    def _shaped(self, found: np.ndarray) -> np.ndarray:
        return found.reshape(len(self.votes), len(self.jurors))


def ballots_of(votes: Sequence[Vote], *, seated: Collection[str] = ()) -> Ballots:
    """Votes of everybody who was ever asked; `seated`: of those who still are, if anybody is."""
    asked = {juror for vote in votes for juror in (*vote.usd, *vote.keys)}
    return Ballots(tuple(sorted(asked.intersection(seated) or asked)), tuple(votes))
