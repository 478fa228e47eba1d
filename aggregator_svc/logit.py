"""Counts ballots by what was learned of the jurors: scores in, P(correct) out. No I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from aggregator_svc.voting import (
    TIE,
    Class,
    Count,
    Floats,
    entropy,
    known,
    margin,
    plurality,
    too_unsure,
)
from services.core.probability import LEAST, log_odds, sigmoid

NORMAL_90: Final = 1.6448536269514722
"""Standard deviations that a 90 % interval reaches to each side."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a calibration knows of the jurors of a vote. Indices are those of the ballots."""

    none_score: float
    """Score of "none of them is right"."""
    abstain_score: float
    """Added to the score of the class `abstain_key`."""
    abstain_key: str
    alone: Floats
    """Shape (n,): added to each ballot's weight where no two agree."""
    abstaining: Floats
    """Shape (n,): the same where the ballot abstains or calls no tool."""
    best: int | None
    """The gate: this ballot stands, whatever the vote says; None: the vote decides."""
    slope: float
    offset: float
    covariance: tuple[float, float, float]
    """var(slope), cov(slope, offset), var(offset)."""


def fitted_vote(
    keys: Sequence[str],
    weights: Floats,
    priors: Floats,
    repairs: Sequence[int],
    fitted: Fitted,
    *,
    forms: Sequence[str] = (),
    min_share: float,
    min_confidence: float | None = None,
) -> Count:
    """Count ballots by the conditional logit and say how likely each class is right.

    Parameters
    ----------
    keys, weights, priors, repairs, forms, min_share
        As in `plurality`; weights are learned ones.
    fitted : Fitted
        The rest of what was learned.
    min_confidence : float, optional
        P(correct) in [0, 1] that the leader needs.

    Returns
    -------
    Count
        A class's share is its P(correct) among the classes, before calibration.

    Notes
    -----
    P(class) = exp(score) / (exp(none_score) + sum of exp(score)): McFadden's
    conditional logit [1]_ over the classes and "none of them". Jurors that err
    together share their credit, and the calibrated leader takes from or gives
    to the others what calibration changes. O(n log n).

    References
    ----------
    .. [1] D. McFadden. Conditional Logit Analysis of Qualitative Choice
       Behavior. Frontiers in Econometrics, 1974.

    Examples
    --------
    >>> flat = Fitted(0.0, 0.0, "", np.zeros(3), np.zeros(3), None, 1.0, 0.0, (0.0, 0.0, 0.0))
    >>> weights, unknown = np.array([2.0, 0.5, 0.5]), np.full(3, np.nan)
    >>> count = fitted_vote(["x", "y", "y"], weights, unknown, [0] * 3, flat, min_share=0.5)
    >>> count.leader.key, round(count.leader.p_correct, 2)
    ('x', 0.67)
    """
    base = plurality(keys, weights, priors, repairs, forms=forms, min_share=0.0)
    lone = len(base.classes) == len(keys)
    scores = [_score(c, weights, fitted, lone=lone) for c in base.classes]
    first, rule = _first(base.classes, scores, priors)
    chosen = first if fitted.best is None else _class_of(base.classes, fitted.best)
    sure, none, interval = _calibrated(scores, chosen, fitted)
    among, _ = posterior(scores, -math.inf)
    found = [
        replace(c, share=float(among[i]), p_correct=float(sure[i]))
        for i, c in enumerate(base.classes)
    ]
    leader = found[chosen]
    rest = sorted((c for c in found if c is not leader), key=lambda c: (-c.share, c.key))
    gated = fitted.best is not None  # where no vote is taken there is no share to have
    reason_text = _objection(
        leader, "" if gated else rule, 0.0 if gated else min_share, min_confidence
    )
    return Count(
        classes=(leader, *rest),
        leader=leader,
        margin=margin([c.share for c in (leader, *rest)]),
        entropy=entropy([c.share for c in found], len(keys)),
        divergence=base.divergence,
        tie=bool(rule),
        tie_rule=rule,
        consensus=not reason_text,
        reason_text=reason_text,
        p_none=none,
        interval=interval,
        fallbacks=("gate",) if chosen != first else (),
    )


def _score(found: Class, weights: Floats, fitted: Fitted, *, lone: bool) -> float:
    members = list(found.members)
    score = float(weights[members].sum())
    if lone and len(members) == 1:
        score += float(fitted.alone[members[0]])
    if found.key == fitted.abstain_key:
        score += fitted.abstain_score + float(fitted.abstaining[members].sum())
    return score


def _first(classes: Sequence[Class], scores: Sequence[float], priors: Floats) -> tuple[int, str]:
    """The class with the highest score, and what parted it from equal ones."""
    top = [i for i, score in enumerate(scores) if score >= max(scores) - TIE]
    if len(top) == 1:
        return top[0], ""
    best = {i: max(known(float(priors[j])) for j in classes[i].members) for i in top}
    likely = [i for i in top if best[i] >= max(best.values()) - TIE]
    return min(likely, key=lambda i: classes[i].key), "prior" if len(likely) == 1 else "key"


def _class_of(classes: Sequence[Class], ballot: int) -> int:
    return next(i for i, c in enumerate(classes) if ballot in c.members)


def posterior(scores: Sequence[float], none_score: float) -> tuple[Floats, float]:
    """P(correct) of each class, and that none is.

    Examples
    --------
    >>> p, none = posterior([0.0, 0.0], 0.0)
    >>> round(none, 3), p.round(3).tolist()
    (0.333, [0.333, 0.333])
    """
    every = np.array([*scores, none_score], dtype=np.float64)
    raised = np.exp(every - every.max())
    shares = raised / raised.sum()
    return shares[:-1], float(shares[-1])


def _calibrated(
    scores: Sequence[float], chosen: int, fitted: Fitted
) -> tuple[Floats, float, tuple[float, float]]:
    """P(correct) of each class, that of none, and the interval of the chosen one's.

    The chosen class's is moved to what was observed; the others share what is left.
    """
    others = [score for i, score in enumerate(scores) if i != chosen]
    rest, none = posterior(others, fitted.none_score)
    x = _within(scores[chosen] - float(np.logaddexp.reduce([*others, fitted.none_score])))
    at = fitted.slope * x + fitted.offset
    slope, both, offset = fitted.covariance
    spread = math.sqrt(max(0.0, slope * x * x + 2.0 * both * x + offset))
    now = sigmoid(at)
    moved = np.insert(rest * (1.0 - now), chosen, now)
    interval = (sigmoid(at - NORMAL_90 * spread), sigmoid(at + NORMAL_90 * spread))
    return moved, none * (1.0 - now), interval


def _within(odds: float) -> float:
    """Log-odds, those of a probability that counts as certain at most."""
    return max(log_odds(LEAST), min(odds, -log_odds(LEAST)))


def _objection(leader: Class, rule: str, min_share: float, min_confidence: float | None) -> str:
    if rule == "key":
        return "classes are equally likely and no prior parts them"
    if leader.share < min_share - TIE:
        return f"the leading class has {leader.share:.0%} of the weight; {min_share:.0%} are needed"
    return too_unsure(leader, min_confidence)
