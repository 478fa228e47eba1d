"""What smaller juries would have said: the same ballots, counted again without some. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.calibration.votes import folds
from services.report.figures import SEED, Bools, Floats, Ints

SLACK: Final = 0.005
"""Accuracy below the best that a smaller jury may have and still be enough."""
PARTS: Final = 5
DIGITS: Final = 9
"""Of sums of weights: what differs less is equal, as the aggregator has it."""
LEAST: Final = 0.5 * 10.0**-DIGITS
"""Parts classes of equal weight, and no others."""


class Recount:
    """Recorded ballots of one jury, to be counted for any part of it.

    The heaviest class wins; of equal ones that of the juror who is most often
    right. Nobody wins without any weight.
    """

    def __init__(self, codes: Ints, strength: Floats, weights: Floats | None = None) -> None:
        """Take ballots in.

        Parameters
        ----------
        codes : ndarray of intp, shape (n, jurors)
            Class of each ballot; -1: none.
        strength : ndarray of float64, shape (jurors,)
            Who wins a tie: the higher.
        weights : ndarray of float64, shape (jurors,), optional
            What each ballot counts, >= 0, not all 0. Unset: each the same.
        """
        shapes, self._shape_of = np.unique(partition(codes), axis=0, return_inverse=True)
        self._shape_of = self._shape_of.reshape(-1)
        self._cast = shapes >= 0
        self._agree = (shapes[:, :, None] == shapes[:, None, :]) & self._cast[:, :, None]
        self._weights = relative(weights, codes.shape[1])
        self._lead = leads(strength)

    def winners(self, jury: Sequence[int]) -> Ints:
        """Juror whose ballot stands for the class that wins, shape (n,); -1 without a ballot."""
        of = list(jury)
        votes = np.zeros((len(self._cast), len(of)))
        for j in of:
            votes += self._weights[j] * self._agree[:, of, j]
        votes = votes.round(DIGITS)
        scores = np.where(self._cast[:, of] & (votes > 0.0), votes + self._lead[of], -np.inf)
        chosen = np.array(of, dtype=np.intp)[scores.argmax(axis=1)]
        return np.where(np.isfinite(scores).any(axis=1), chosen, -1)[self._shape_of]


def partition(codes: Ints) -> Ints:
    """Who gave the same ballot: of each the first juror who did, -1 without one, (n, jurors)."""
    alike = codes[:, :, None] == codes[:, None, :]
    found: Ints = np.where(codes >= 0, alike.argmax(axis=2), -1)
    return found


def relative(weights: Floats | None, jurors: int) -> Floats:
    """Weights as shares of the largest, so that their sums can be rounded alike."""
    if weights is None:
        return np.ones(jurors)
    shares: Floats = weights / weights.max()
    return shares


def leads(strength: Floats) -> Floats:
    """What parts equally heavy classes: more for the stronger, and less than any weight counts."""
    rank = np.argsort(np.argsort(-strength, kind="stable"), kind="stable").astype(np.float64)
    found: Floats = LEAST * (1.0 - (rank + 1.0) / (len(strength) + 1.0))
    return found


def right_of(winners: Ints, right: Bools) -> Bools:
    """Whether each winner is right; where nobody gave a ballot nothing is."""
    found: Bools = right[np.arange(len(right)), winners] & (winners >= 0)
    return found


def accuracies(recount: Recount, right: Bools, order: Sequence[int]) -> Floats:
    """Accuracy of the first, the first two, … of an order, shape (jurors,)."""
    return np.array(
        [right_of(recount.winners(order[:many]), right).mean() for many in range(1, len(order) + 1)]
    )


def knee(curve: Floats) -> int:
    """Smallest number of jurors that is within half a point of the best.

    Examples
    --------
    >>> knee(np.array([0.900, 0.900, 0.939, 0.939, 0.947, 0.954, 0.954]))
    6
    """
    return int(np.flatnonzero(curve >= curve.max() - SLACK)[0]) + 1


def greedy(recount: Recount, right: Bools) -> list[int]:
    """The jurors in the order in which each next one helps most; of equal ones the stronger."""
    left = sorted(range(right.shape[1]), key=lambda j: -float(right[:, j].mean()))
    order: list[int] = []
    while left:
        reached = [right_of(recount.winners([*order, j]), right).mean() for j in left]
        order.append(left.pop(int(np.argmax(reached))))
    return order


def sufficient(
    codes: Ints, right: Bools, weights: Floats | None = None, *, seed: int = SEED
) -> tuple[list[int], Bools]:
    """The smallest jury that is as good as any, within half a point.

    Parameters
    ----------
    codes : ndarray of intp, shape (n, jurors)
    right : ndarray of bool, shape (n, jurors)
    weights : ndarray of float64, shape (jurors,), optional
        What each ballot counts; unset: each the same.

    Returns
    -------
    list of int
        Its jurors.
    ndarray of bool, shape (n, jurors)
        Whether the best one, two, … jurors are right.

    Notes
    -----
    Jurors are chosen greedily. The accuracy of each size is measured on prompts
    from which its jurors were not chosen (five parts, each by the others): on the
    same ones, more jurors to choose from would always look better.
    O(n jurors^4).
    """
    part = folds(len(right), parts=PARTS, seed=seed)
    shown = np.zeros(right.shape, dtype=bool)
    for held in range(PARTS):
        known, unseen = part != held, part == held
        strength = right[known].mean(axis=0)
        order = greedy(Recount(codes[known], strength, weights), right[known])
        recount = Recount(codes[unseen], strength, weights)
        for many in range(1, len(order) + 1):
            winners = recount.winners(order[:many])
            shown[unseen, many - 1] = right_of(winners, right[unseen])
    order = greedy(Recount(codes, right.mean(axis=0), weights), right)
    return order[: knee(shown.mean(axis=0))], shown
