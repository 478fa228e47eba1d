"""What each juror is worth to its jury: Shapley's share of the votes that come to what is right. Pure."""

import math
from typing import Final

import numpy as np

from services.report.figures import SEED, Bools, Floats, Ints
from services.report.recount import DIGITS, leads, partition, relative

EXACT: Final = 12
"""Jurors up to which all of their subsets are counted; of more, orders are drawn."""
ORDERS: Final = 16
"""Orders drawn for each prompt, half of them the reverse of the others."""
WORK: Final = 2**24
"""Votes counted at most: prompts times subsets. Of more prompts some are drawn, 2,000 at least."""
FEWEST_PROMPTS: Final = 2_000
MOST_PROMPTS: Final = 5_000
"""Prompts that orders are drawn for at most."""
_CHUNK: Final = 2**21
"""Votes counted at once: what bounds the memory."""


def worth(
    codes: Ints, good: Bools, strength: Floats, weights: Floats | None = None, *, seed: int = SEED
) -> Floats:
    """What each juror adds to the vote on each prompt, on average over all orders of joining.

    Parameters
    ----------
    codes : ndarray of intp, shape (n, jurors)
        Class of each ballot; -1: none.
    good : ndarray of bool, shape (n, jurors)
        Whether each ballot is: right, or what the jury came to.
    strength : ndarray of float64, shape (jurors,)
        Who wins a tie: the higher.
    weights : ndarray of float64, shape (jurors,), optional
        What each ballot counts; unset: each the same.

    Returns
    -------
    ndarray of float64, shape (prompts, jurors)
        In [-1, 1]; each row sums to whether the whole jury comes to what is good,
        since nobody's vote comes to nothing. Their mean over prompts is the
        Shapley value of the jury's accuracy [1]_, and their spread tells its error.
        Prompts are all n, or as many as `WORK` allows, drawn by the seed.

    Notes
    -----
    Exact up to 12 jurors, over all subsets: O(2^jurors) for each distinct vote. Of
    more, orders of joining are drawn for each prompt anew, each with its reverse
    [2]_, so that rows stay independent and their spread holds the error of the
    drawing as well.

    References
    ----------
    .. [1] L. Shapley. A Value for n-Person Games. Contributions to the Theory of
       Games II, 1953.
    .. [2] R. Mitchell et al. Sampling Permutations for Shapley Value Estimation.
       Journal of Machine Learning Research, 2022.

    Examples
    --------
    >>> codes = np.array([[0, 0, 1]])
    >>> worth(codes, codes == 0, np.array([0.7, 0.8, 0.9])).round(3).tolist()
    [[0.667, 0.667, -0.333]]
    """
    n, jurors = codes.shape
    is_exact = jurors <= EXACT
    most = max(FEWEST_PROMPTS, WORK >> jurors) if is_exact else MOST_PROMPTS
    rng = np.random.default_rng(seed)
    if n > most:
        kept = np.sort(rng.choice(n, most, replace=False))
        codes, good = codes[kept], good[kept]
    first = partition(codes)
    shares, lead = relative(weights, jurors), leads(strength)
    if is_exact:
        return _exact(first, good & (codes >= 0), shares, lead)
    return _drawn(first, good & (codes >= 0), shares, lead, rng)


def _exact(first: Ints, good: Bools, weights: Floats, lead: Floats) -> Floats:
    """Equal votes are counted once."""
    jurors = first.shape[1]
    distinct, of = np.unique(np.hstack([first, good]), axis=0, return_inverse=True)
    shapes, marks = distinct[:, :jurors], distinct[:, jurors:].astype(bool)
    totals, parts = _totals(weights, lead), coefficients(jurors)
    at_once = max(1, _CHUNK >> jurors)
    found = [
        _comes(shapes[i : i + at_once], marks[i : i + at_once], totals) @ parts
        for i in range(0, len(shapes), at_once)
    ]
    rows: Floats = np.concatenate([np.zeros((0, jurors)), *found])
    return rows[of.reshape(-1)]


def _totals(weights: Floats, lead: Floats) -> Floats:
    """What a class weighs, by the jurors in it as bits; 0: it cannot win."""
    bits = _bits(len(weights))
    sums = (bits * weights).sum(axis=1).round(DIGITS)
    return np.where(sums > 0.0, sums + (bits * lead).max(axis=1), 0.0)


def _bits(jurors: int) -> Ints:
    """Which jurors are in each subset, shape (2^jurors, jurors)."""
    found: Ints = np.arange(2**jurors)[:, np.newaxis] >> np.arange(jurors) & 1
    return found


def _comes(first: Ints, good: Bools, totals: Floats) -> Floats:
    """Whether each subset comes to what is good, shape (votes, 2^jurors)."""
    jurors = first.shape[1]
    subsets = np.arange(2**jurors)
    best = np.zeros((len(first), 2**jurors))
    comes = np.zeros_like(best)
    for j in range(jurors):
        has = first[:, j] == j
        class_of_j = (first[has] == j) @ (1 << np.arange(jurors))
        weight = totals[subsets & class_of_j[:, np.newaxis]]
        wins = weight > best[has]
        comes[has] = np.where(wins, good[has, j, np.newaxis], comes[has])
        best[has] = np.maximum(best[has], weight)
    return comes


def coefficients(jurors: int) -> Floats:
    """What the value of each subset counts for each juror: values @ this are Shapley's.

    Returns
    -------
    ndarray of float64, shape (2^jurors, jurors)
        Subsets in binary order, the first juror the lowest bit.
    """
    bits = _bits(jurors)
    size = bits.sum(axis=1)
    share = np.array([1.0 / (jurors * math.comb(jurors - 1, k)) for k in range(jurors)])
    joins, stays = share[size - 1], share[np.minimum(size, jurors - 1)]
    found: Floats = np.where(bits == 1, joins[:, np.newaxis], -stays[:, np.newaxis])
    return found


def _drawn(
    first: Ints, good: Bools, weights: Floats, lead: Floats, rng: np.random.Generator
) -> Floats:
    """Mean over orders of what each juror changes when it joins."""
    found = np.zeros(first.shape)
    for _ in range(ORDERS // 2):
        order = rng.permuted(np.tile(np.arange(first.shape[1]), (len(first), 1)), axis=1)
        found += _joining(first, good, weights, lead, order)
        found += _joining(first, good, weights, lead, order[:, ::-1])
    return found / ORDERS


def _joining(first: Ints, good: Bools, weights: Floats, lead: Floats, order: Ints) -> Floats:
    """What each juror changes, joining in an order of its own for each prompt."""
    rows = np.arange(len(first))
    heavy, ahead = np.zeros(first.shape), np.zeros(first.shape)
    before, changes = np.zeros(len(first)), np.zeros(first.shape)
    for j in order.T:
        group, cast = first[rows, j], first[rows, j] >= 0
        heavy[rows[cast], group[cast]] += weights[j[cast]]
        ahead[rows[cast], group[cast]] = np.maximum(ahead[rows[cast], group[cast]], lead[j[cast]])
        total = heavy.round(DIGITS)
        wins = np.where(total > 0.0, total + ahead, 0.0).argmax(axis=1)
        now = (good[rows, wins] & (total[rows, wins] > 0.0)).astype(np.float64)
        changes[rows, j] = now - before
        before = now
    return changes
