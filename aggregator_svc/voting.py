"""Counts ballots: keys and weights in, classes out. No I/O, no clock, no randomness."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Standing = tuple[int, int, float, float, int]
"""How fit a ballot is to stand for its class; greater is better."""

TIE: Final = 1e-9
"""Weights and scores closer than this are equal."""


@dataclass(frozen=True, slots=True)
class Class:
    """Ballots that count as the same."""

    key: str
    members: tuple[int, ...]
    """Indices of its ballots, ascending."""
    weight: float
    share: float
    """Of all weight, in [0, 1]."""
    representative: int
    """Index of the ballot that stands for it."""
    p_correct: float | None = None
    """Probability that it is right, in [0, 1]; None when nothing was learned of the jurors."""


@dataclass(frozen=True, slots=True)
class Count:
    """The classes, and what they say."""

    classes: tuple[Class, ...]
    """Heaviest first; of equally heavy ones the leader first."""
    leader: Class
    margin: float
    """Leader's share minus the runner-up's, in [0, 1]."""
    entropy: float
    """Of the shares, over ln(ballots), in [0, 1]."""
    divergence: float
    """Share of pairs of ballots that differ, in [0, 1]."""
    tie: bool
    tie_rule: str
    """`prior`, `key` or empty."""
    consensus: bool
    reason_text: str
    """Why there is no consensus; empty with consensus."""
    guess: bool = False
    """Whether its probabilities are guesses: nothing was learned of the jurors."""
    p_none: float | None = None
    """Probability that no class is right, in [0, 1]."""
    interval: tuple[float, float] | None = None
    """90 % interval of the leader's probability."""
    fallbacks: tuple[str, ...] = ()
    """Why a plainer rule than asked for chose, in order."""


def plurality(
    keys: Sequence[str],
    weights: Floats,
    priors: Floats,
    repairs: Sequence[int],
    *,
    min_share: float,
    forms: Sequence[str] = (),
) -> Count:
    """Count ballots and name the class that leads.

    The heaviest class leads. Of equally heavy ones it is the one with the
    juror most likely to be right; when priors do not tell, the least key
    leads, and there is no consensus.

    Parameters
    ----------
    keys : sequence of str, length n
        Class of each ballot. Not empty.
    weights : ndarray of float64, shape (n,)
        What each ballot counts, >= 0.
    priors : ndarray of float64, shape (n,)
        Probability in [0, 1] that each juror is right; NaN when unknown.
    repairs : sequence of int, length n
        How much each answer had to be mended. The one mended least stands for
        its class: all mean the same, and it is the surest to be read so by
        others. Of several the likeliest, then the heaviest.
    min_share : float
        Share of the weight in [0, 1] that the leader needs.
    forms : sequence of str, length n, optional
        How each answer is worded: the wording that most of a class use stands
        for it, whoever said it.

    Returns
    -------
    Count
        At least one class. Without any weight all shares are 0.

    Raises
    ------
    ValueError
        If there are no ballots, or the lengths differ.

    Notes
    -----
    Plurality over canonical answers is self-consistency's vote [1]_. O(n log n).

    References
    ----------
    .. [1] X. Wang et al. Self-Consistency. arXiv:2203.11171, 2022.

    Examples
    --------
    >>> equal, unknown = np.ones(3), np.full(3, np.nan)
    >>> count = plurality(["x", "y", "x"], equal, unknown, [0, 0, 0], min_share=0.5)
    >>> count.leader.key, count.consensus
    ('x', True)
    """
    if not keys or not len(keys) == weights.size == priors.size == len(repairs):
        raise ValueError("keys, weights, priors and repairs must match and not be empty")
    alike = Counter(zip(keys, forms or keys, strict=True))
    standing = [
        (-repairs[i], alike[key, (forms or keys)[i]], known(float(priors[i])), weights[i], -i)
        for i, key in enumerate(keys)
    ]
    classes = [_class(key, keys, weights, standing) for key in sorted(set(keys))]
    heaviest = max(c.weight for c in classes)
    leading = [c for c in classes if c.weight >= heaviest - TIE]
    leader, rule = _leader(leading, priors)
    rest = sorted((c for c in classes if c is not leader), key=lambda c: (-c.weight, c.key))
    reason_text = _objection(leader, rule, len(leading), min_share)
    return Count(
        classes=(leader, *rest),
        leader=leader,
        margin=margin([c.share for c in (leader, *rest)]),
        entropy=entropy([c.share for c in classes], len(keys)),
        divergence=_divergence([len(c.members) for c in classes]),
        tie=len(leading) > 1,
        tie_rule=rule,
        consensus=not reason_text,
        reason_text=reason_text,
    )


def _class(key: str, keys: Sequence[str], weights: Floats, standing: Sequence[Standing]) -> Class:
    members = tuple(i for i, other in enumerate(keys) if other == key)
    weight, total = float(weights[list(members)].sum()), float(weights.sum())
    best = max(members, key=lambda i: standing[i])
    share = min(1.0, weight / total) if total > 0.0 else 0.0
    return Class(key, members, weight, share, best)


def known(prior: float) -> float:
    """The prior; below all others when it is unknown."""
    return -1.0 if math.isnan(prior) else prior


def _leader(leading: Sequence[Class], priors: Floats) -> tuple[Class, str]:
    if len(leading) == 1:
        return leading[0], ""
    best = [max(known(float(priors[i])) for i in c.members) for c in leading]
    top = [c for c, prior in zip(leading, best, strict=True) if prior >= max(best) - TIE]
    return top[0], "prior" if len(top) == 1 else "key"


def _objection(leader: Class, rule: str, leading: int, min_share: float) -> str:
    if leader.weight <= 0.0:
        return "the jurors who answered carry no weight"
    if rule == "key":
        return f"{leading} classes lead with {leader.share:.0%} each and no prior parts them"
    if leader.share < min_share - TIE:
        return f"the leading class has {leader.share:.0%} of the weight; {min_share:.0%} are needed"
    return ""


def fallen_back(count: Count, why: str) -> Count:
    """The same count, whose trail says why a plainer rule than asked for chose."""
    return replace(count, fallbacks=(*count.fallbacks, why))


def too_unsure(leader: Class, min_confidence: float | None) -> str:
    """Why a leader is not sure enough; empty when it is, or nothing is asked for."""
    sure = leader.p_correct
    if min_confidence is None or sure is None or sure >= min_confidence - TIE:
        return ""
    return f"the leading class is right with {sure:.0%}; {min_confidence:.0%} are needed"


def scaled(weights: Floats, scores: Floats) -> Floats:
    """Weights times judge scores.

    Parameters
    ----------
    weights : ndarray of float64, shape (n,)
        What each ballot counts, >= 0.
    scores : ndarray of float64, shape (n,)
        What a judge thinks of each answer, in [-1, 1]; NaN when unknown.

    Returns
    -------
    ndarray of float64, shape (n,)
        Each weight times its score moved to [0, 1]. An unknown score is the
        mean of the known ones; without any, the weights stay as they are.

    Examples
    --------
    >>> scaled(np.array([1.0, 2.0, 1.0]), np.array([1.0, 0.0, np.nan])).tolist()
    [1.0, 1.0, 0.75]
    """
    known = scores[~np.isnan(scores)]
    if known.size == 0:
        return weights
    filled = np.where(np.isnan(scores), known.mean(), scores)
    product: Floats = weights * (1.0 + filled) / 2.0
    return product


def margin(shares: Sequence[float]) -> float:
    """The first share minus the largest other one, in [0, 1]; a share alone is its own margin."""
    return max(0.0, shares[0] - max(shares[1:], default=0.0))


def entropy(shares: Sequence[float], n_ballots: int) -> float:
    """Entropy of shares over ln(ballots), in [0, 1]; 0 for one ballot."""
    if n_ballots < 2:
        return 0.0
    nats = -sum(share * math.log(share) for share in shares if share > 0.0)
    return min(1.0, max(0.0, nats / math.log(n_ballots)))


def _divergence(sizes: Sequence[int]) -> float:
    pairs = math.comb(sum(sizes), 2)
    alike = sum(math.comb(size, 2) for size in sizes)
    return (pairs - alike) / pairs if pairs else 0.0
