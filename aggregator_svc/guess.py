"""P(correct) where nothing was learned of the jurors: a guess, and said to be one. No I/O."""

import math
from dataclasses import replace
from typing import Final

import numpy as np

from aggregator_svc.logit import NORMAL_90
from aggregator_svc.voting import Count, Floats, too_unsure

GATED: Final = "gate"
"""In the trail: the best juror's ballot stands."""
PRIOR_BALLOTS: Final = 2.0
"""Ballots that what is known beforehand counts for."""


def guessed(count: Count, priors: Floats, *, min_confidence: float | None = None) -> Count:
    """The same count with a guess of how likely its leader is right, and that nobody is.

    Parameters
    ----------
    priors : ndarray of float64, shape (n,)
        Probability in [0, 1] that each juror is right; NaN when unknown.
    min_confidence : float, optional
        P(correct) in [0, 1] that the leader needs; a guess is held against it, too.

    Notes
    -----
    The leader's share of the ballots, drawn to the mean prior (to one half
    without any) as if by two more ballots; the interval is Wilson's [1]_ of a
    share of so many, which is never without width. Agreement of few is weak
    evidence: three of three give .8, of .44 to .95. Where the best juror's ballot
    stands unopposed, its prior is all there is.

    References
    ----------
    .. [1] E. Wilson. Probable Inference, the Law of Succession, and Statistical
       Inference. Journal of the American Statistical Association, 1927.
    """
    ballots = sum(len(found.members) for found in count.classes)
    known = priors[~np.isnan(priors)]
    before = float(known.mean()) if known.size else 0.5
    seen = ballots + PRIOR_BALLOTS
    sure = (count.leader.share * ballots + before * PRIOR_BALLOTS) / seen
    if GATED in count.fallbacks and known.size:
        before = sure = float(known.max())
        seen = 1.0 + PRIOR_BALLOTS
    none = (1.0 - before) * PRIOR_BALLOTS / seen
    leader = replace(count.leader, p_correct=sure)
    reason_text = count.reason_text or too_unsure(leader, min_confidence)
    return replace(
        count,
        classes=tuple(leader if found is count.leader else found for found in count.classes),
        leader=leader,
        consensus=not reason_text,
        reason_text=reason_text,
        guess=True,
        p_none=min(none, 1.0 - sure),
        interval=_interval(sure, seen),
    )


def _interval(share: float, n: float) -> tuple[float, float]:
    """Shares that are in keeping, with 90 %, with what was seen of n."""
    z = NORMAL_90**2 / n
    middle = share + z / 2.0
    reach = math.sqrt(z * share * (1.0 - share) + z * z / 4.0)
    low, high = (middle - reach) / (1.0 + z), (middle + reach) / (1.0 + z)
    return max(0.0, min(low, share)), min(1.0, max(high, share))
