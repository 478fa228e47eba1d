"""What smaller juries would have said: the same ballots, counted again without some. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.calibration.votes import folds
from services.report.figures import SEED, Bools, Floats, Ints

SLACK: Final = 0.005
"""Accuracy below the best that a smaller jury may have and still be enough."""
PARTS: Final = 5


class Recount:
    """Recorded ballots of one jury, to be counted for any part of it.

    The largest class wins, each ballot counting the same; of equal ones that of
    the juror who is most often right.
    """

    def __init__(self, codes: Ints, strength: Floats) -> None:
        """Take ballots in.

        Parameters
        ----------
        codes : ndarray of intp, shape (n, jurors)
            Class of each ballot; -1: none.
        strength : ndarray of float64, shape (jurors,)
            Who wins a tie: the higher.
        """
        self._cast = codes >= 0
        self._agree = (codes[:, :, None] == codes[:, None, :]) & self._cast[:, :, None]
        rank = np.argsort(np.argsort(-strength, kind="stable"), kind="stable")
        self._lead = 1.0 - (rank + 1.0) / (len(strength) + 1.0)

    def winners(self, jury: Sequence[int]) -> Ints:
        """Juror whose ballot stands for the class that wins, shape (n,); -1 without a ballot."""
        of = list(jury)
        votes = self._agree[:, :, of].sum(axis=2, dtype=np.int32)[:, of] + self._lead[of]
        scores = np.where(self._cast[:, of], votes, -np.inf)
        chosen = np.array(of, dtype=np.intp)[scores.argmax(axis=1)]
        return np.where(self._cast[:, of].any(axis=1), chosen, -1)


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


def sufficient(codes: Ints, right: Bools, *, seed: int = SEED) -> tuple[list[int], Bools]:
    """The smallest jury that is as good as any, within half a point.

    Parameters
    ----------
    codes : ndarray of intp, shape (n, jurors)
    right : ndarray of bool, shape (n, jurors)

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
        order = greedy(Recount(codes[known], strength), right[known])
        recount = Recount(codes[unseen], strength)
        for many in range(1, len(order) + 1):
            winners = recount.winners(order[:many])
            shown[unseen, many - 1] = right_of(winners, right[unseen])
    order = greedy(Recount(codes, right.mean(axis=0)), right)
    return order[: knee(shown.mean(axis=0))], shown
