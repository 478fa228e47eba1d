"""Votes of the same jurors as arrays. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.report.agreement import NONE
from services.report.figures import Bools, Floats, Ints
from services.report.rows import Vote


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

    @property
    def classes(self) -> int:
        """Different ballots that were cast at all."""
        return int(self.codes.max(initial=-1)) + 1

    def only(self, chosen: Bools) -> "Ballots":
        """The votes on some of the prompts."""
        kept = (vote for vote, is_in in zip(self.votes, chosen, strict=True) if is_in)
        return Ballots(self.jurors, tuple(kept))

    def _shaped(self, found: np.ndarray) -> np.ndarray:
        return found.reshape(len(self.votes), len(self.jurors))


def ballots_of(votes: Sequence[Vote]) -> Ballots:
    """Votes of everybody who was ever asked."""
    jurors = sorted({juror for vote in votes for juror in (*vote.usd, *vote.keys)})
    return Ballots(tuple(jurors), tuple(votes))
