"""Labelled votes of one pool, and the same as arrays that a fit can use. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.calibration.outcomes import Outcome

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Votes:
    """Ballots of the same jurors on n prompts, and which of them were right."""

    jurors: tuple[str, ...]
    keys: tuple[tuple[str | None, ...], ...]
    """Class of each ballot, n rows; empty where an answer was none, None where a juror was not
    heard: it was not asked, cut off, or failed."""
    right: Bools
    """Shape (n, jurors)."""
    abstain_key: str = ""
    """Key of the class that calls no tool; empty where there is none."""
    decline_key: str = ""
    """Key of the class that gives no answer for another reason, as `Outcome` has it."""

    def __post_init__(self) -> None:
        if self.right.shape != (len(self.keys), len(self.jurors)):
            msg = f"right has shape {self.right.shape}; {len(self.keys)} prompts of "
            msg += f"{len(self.jurors)} jurors are given"
            raise ValueError(msg)

    def only(self, chosen: Bools) -> "Votes":
        """The votes on some of the prompts."""
        keys = tuple(row for row, is_in in zip(self.keys, chosen, strict=True) if is_in)
        right = self.right[chosen]
        return Votes(self.jurors, keys, right, self.abstain_key, self.decline_key)

    @property
    def heard(self) -> Bools:
        """Whether each juror was heard, shape (n, jurors)."""
        told = [[key is not None for key in row] for row in self.keys]
        return np.array(told, dtype=bool).reshape(self.right.shape)

    @property
    def priors(self) -> Floats:
        """How often each juror is right where it is heard, drawn to one half by two more labels."""
        counts = self.right.sum(axis=0).astype(np.float64)
        smoothed: Floats = (counts + 1.0) / (self.heard.sum(axis=0) + 2.0)
        return smoothed

    @property
    def best(self) -> int:
        """Index of the juror most often right; of equal ones the first by name.

        Its share of right answers counts less one standard error: who was heard
        a few times only has to be much better than those heard often.
        """
        share, seen = self.priors, self.heard.sum(axis=0) + 2.0
        sure = share - np.sqrt(share * (1.0 - share) / seen)
        return min(range(len(self.jurors)), key=lambda j: (-sure[j], self.jurors[j]))


@dataclass(frozen=True, slots=True)
class Design:
    """All classes of all prompts that have any, prompt by prompt, by key within each."""

    prompts: int
    prompt: Ints
    """Prompt of each class, ascending."""
    starts: Ints
    """First class of each prompt that has any."""
    members: Bools
    """Shape (classes, jurors)."""
    lone: Bools
    """Whether no two ballots of the class's prompt agree, shape (classes,)."""
    abstains: Bools
    """Whether the class calls no tool, shape (classes,)."""
    declines: Bools
    """Whether the class gives no answer for another reason, shape (classes,)."""
    right: Bools
    """Whether at least half of the class's ballots were graded right, shape (classes,)."""

    def features(self) -> Floats:
        """What a weight is learned for: votes, lone votes, and those that give no answer.

        Returns
        -------
        ndarray of float64, shape (classes, 4 jurors + 2)
            Votes; votes where no two agree; votes to call no tool; votes that
            decline; whether the class calls no tool; whether it declines.
        """
        votes = self.members.astype(np.float64)
        marks = (self.lone, self.abstains, self.declines)
        lone, none, declines = (mark[:, np.newaxis].astype(np.float64) for mark in marks)
        return np.hstack([votes, votes * lone, votes * none, votes * declines, none, declines])


def votes_of(rows: Sequence[Outcome], jurors: Sequence[str]) -> Votes:
    """What these jurors said as arrays; whom a row does not name was not heard.

    Some rows may not say which class calls no tool; those that do name the same.
    Which class declines may differ by row, as a label does: all get the name of
    the first.
    """
    decline = next((row.decline_key for row in rows if row.decline_key), "")
    keys = tuple(
        tuple(_named(row, row.keys.get(juror), decline=decline) for juror in jurors) for row in rows
    )
    right = [[bool((row.right or {}).get(juror)) for juror in jurors] for row in rows]
    abstain = next((row.abstain_key for row in rows if row.abstain_key), "")
    shaped = np.array(right, dtype=bool).reshape(len(rows), len(jurors))
    return Votes(tuple(jurors), keys, shaped, abstain, decline)


def _named(row: Outcome, key: str | None, *, decline: str) -> str | None:
    return decline if key and key == row.decline_key else key


def design(votes: Votes) -> Design:
    """Sort the ballots of each prompt into classes. O(n jurors)."""
    rows, members, keys = [], [], []
    for i, row in enumerate(votes.keys):
        for key in sorted({key for key in row if key}):
            rows.append(i)
            keys.append(key)
            members.append([other == key for other in row])
    prompt = np.array(rows, dtype=np.intp)
    within = np.array(members, dtype=bool).reshape(len(rows), len(votes.jurors))
    sizes = within.sum(axis=1)
    largest = np.zeros(len(votes.keys), dtype=np.intp)
    np.maximum.at(largest, prompt, sizes)
    return Design(
        prompts=len(votes.keys),
        prompt=prompt,
        starts=np.flatnonzero(np.diff(prompt, prepend=-1)),
        members=within,
        lone=largest[prompt] == 1,
        abstains=np.array([key == votes.abstain_key != "" for key in keys], dtype=bool),
        declines=np.array([key == votes.decline_key != "" for key in keys], dtype=bool),
        right=2 * (within & votes.right[prompt]).sum(axis=1) >= sizes,
    )


def folds(n: int, *, parts: int, seed: int) -> Ints:
    """The part that each of n prompts belongs to, equal in size, by a stated seed.

    Examples
    --------
    >>> sorted(folds(5, parts=2, seed=0).tolist())
    [0, 0, 0, 1, 1]
    """
    return np.random.default_rng(seed).permutation(np.arange(n) % parts)
