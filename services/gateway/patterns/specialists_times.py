"""How long a step may take of the time that is left: seconds in, seconds out. No clock."""

from typing import Final

SEARCH_LEAST_S: Final = 2.0
SEARCH_SHARE: Final = 0.25
"""A search asks no model: it always gets this long, but for no more than a share of what is left."""


def kept_s(window_s: float, *, behind_s: float, longest_s: float) -> float:
    """Seconds kept back for what comes after a step: its part of the critical path.

    Whatever is done before a step leaves its time to the step.

    Parameters
    ----------
    window_s : float
        Seconds for all steps, >= 0.
    behind_s : float
        Expected seconds of the longest path behind the step, in [0, longest_s].
    longest_s : float
        Expected seconds of the critical path, > 0.

    Examples
    --------
    >>> kept_s(30.0, behind_s=1.0, longest_s=3.0)
    10.0
    """
    return window_s * (behind_s / longest_s)


def step_s(left_s: float, *, own_s: float, behind_s: float, due_s: float = 0.0) -> float:
    """Seconds that a step may take: until its readers are due, or its share of its own path.

    Parameters
    ----------
    left_s : float
        Seconds until the last step must be done, >= 0.
    own_s : float
        Expected seconds of the step, > 0.
    behind_s : float
        Expected seconds of the longest path behind it, >= 0.
    due_s : float
        Seconds until the critical path needs it, in [0, left_s]; 0 when that has
        passed, because what it waited for took long.

    Returns
    -------
    float
        In [0, left_s].

    References
    ----------
    .. [1] B. Kao, H. Garcia-Molina. Deadline assignment in a distributed soft
       real-time system. IEEE Transactions on Parallel and Distributed Systems
       8 (12), 1997: slack shared in proportion ("equal flexibility").

    Examples
    --------
    >>> step_s(30.0, own_s=2.0, behind_s=1.0), step_s(30.0, own_s=2.0, behind_s=1.0, due_s=25.0)
    (20.0, 25.0)
    """
    return max(due_s, left_s * (own_s / (own_s + behind_s)))


def search_s(left_s: float, *, own_s: float, behind_s: float, due_s: float = 0.0) -> float:
    """Seconds that a search may take: like a step, but always a little.

    Examples
    --------
    >>> search_s(30.0, own_s=2.0, behind_s=298.0), search_s(4.0, own_s=2.0, behind_s=298.0)
    (2.0, 1.0)
    """
    share_s = step_s(left_s, own_s=own_s, behind_s=behind_s, due_s=due_s)
    return max(share_s, min(SEARCH_LEAST_S, left_s * SEARCH_SHARE))
