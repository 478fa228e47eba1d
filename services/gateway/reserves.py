"""How a request's time is shared out over its stages: seconds in, seconds out. No clock.

A stage may use all the time there is, less what is kept back for the stages
after it. A share is the most that is kept back for its stage.
"""

from collections.abc import Sequence
from typing import Final

ROUTER_SHARE: Final = 0.05
JURY_SHARE: Final = 0.70
JUDGE_SHARE: Final = 0.20
REPLY_SHARE: Final = 0.05
SYNTHESIS_SHARE: Final = 0.25
"""Of the time before the verdict; only where an ensemble wants one."""

REPLY_MOST_S: Final = 0.25
"""More is never needed to record a reply; the time to send it is kept by the deadline itself."""
ROUTER_LEAST_S: Final = 1.0
"""A share of a short time would be less than one hop takes on a busy machine."""


def reply_s(allowed_s: float) -> float:
    """Seconds kept back to record the reply.

    Examples
    --------
    >>> reply_s(2.0), reply_s(60.0)
    (0.1, 0.25)
    """
    return min(REPLY_SHARE * allowed_s, REPLY_MOST_S)


def router_s(left_s: float, *, allowed_s: float) -> float:
    """Seconds that routing may take.

    Parameters
    ----------
    left_s : float
        Seconds until the deadline, >= 0.
    allowed_s : float
        Seconds that the caller allowed for everything, > 0.

    Returns
    -------
    float
        The router's share, but at least a second as long as that is no more
        than a quarter of what is left; in [0, left_s].

    Examples
    --------
    >>> router_s(100.0, allowed_s=100.0), router_s(8.0, allowed_s=8.0), router_s(2.0, allowed_s=2.0)
    (5.0, 1.0, 0.5)
    """
    share = max(ROUTER_SHARE * allowed_s, min(ROUTER_LEAST_S, left_s / 4))
    return max(0.0, min(share, left_s - reply_s(allowed_s)))


def window_s(left_s: float, *, allowed_s: float, latencies_s: Sequence[float] = (1.0,)) -> float:
    """Seconds that the next tier may take, its judge included.

    The time left is split over the tiers still to come in proportion to their
    expected latency, so that a hung tier cannot use up the time of those that
    could still answer.

    Parameters
    ----------
    left_s : float
        Seconds until the deadline, >= 0.
    allowed_s : float
        Seconds that the caller allowed for everything, > 0.
    latencies_s : sequence of float, length n_tiers >= 1
        Expected seconds of the next tier and of every one after it, >= 0. If
        one is 0 it is not known, and the split is even. By default one tier.

    Returns
    -------
    float
        In [0, left_s].

    Examples
    --------
    >>> window_s(10.0, allowed_s=10.0)
    9.75
    >>> window_s(10.25, allowed_s=10.25, latencies_s=[1.0, 3.0])
    2.5
    """
    spendable_s = max(0.0, left_s - reply_s(allowed_s))
    if min(latencies_s) <= 0.0:
        return spendable_s / len(latencies_s)
    return spendable_s * (latencies_s[0] / sum(latencies_s))


def judge_s(window_s: float, *, timeout_s: float) -> float:
    """Seconds of a tier's window kept back for its judge.

    Parameters
    ----------
    window_s : float
        Seconds of the tier's window, >= 0.
    timeout_s : float
        Longest time the judge may take, 0 without a judge.

    Examples
    --------
    >>> round(judge_s(9.0, timeout_s=15.0), 6), judge_s(9.0, timeout_s=0.5), judge_s(9.0, timeout_s=0)
    (2.0, 0.5, 0)
    """
    return min(window_s * JUDGE_SHARE / (JURY_SHARE + JUDGE_SHARE), timeout_s)


def synthesis_s(window_s: float, *, timeout_s: float) -> float:
    """Seconds of the time before a verdict kept back for writing one answer out of several.

    Parameters
    ----------
    window_s : float
        Seconds before the verdict, >= 0.
    timeout_s : float
        Longest time that writing may take, 0 when nobody does.

    Examples
    --------
    >>> synthesis_s(8.0, timeout_s=15.0), synthesis_s(8.0, timeout_s=0.5)
    (2.0, 0.5)
    """
    return min(window_s * SYNTHESIS_SHARE, timeout_s)


def verdict_s(left_s: float, *, timeout_s: float) -> float:
    """Seconds kept back for the verdict when the jury is done and a synthesis comes first.

    Half of what is left, as writing and judging take alike, so that a model that
    hangs at the one leaves time for the other.

    Examples
    --------
    >>> verdict_s(3.0, timeout_s=15.0), verdict_s(3.0, timeout_s=0.5)
    (1.5, 0.5)
    """
    return min(left_s / 2, timeout_s)
