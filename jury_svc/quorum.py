"""When a jury stops waiting. Counts in, a reason out: no clock, no I/O."""

from enum import StrEnum


class Stop(StrEnum):
    """Why a jury stopped waiting."""

    ALL_SETTLED = "all_settled"
    QUORUM = "quorum"
    QUORUM_IMPOSSIBLE = "quorum_impossible"
    DEADLINE = "deadline"
    DECIDED = "decided"


def stop_reason(
    *,
    usable: int,
    unsettled: int,
    quorum: int,
    grace_over: bool,
    time_is_up: bool,
    decided: bool = False,
    may_change: bool = False,
) -> Stop | None:
    """Decide whether waiting longer can pay.

    A jury that cannot reach its quorum any more stops at once: its caller
    will not use the answers, so what the others would still cost buys
    nothing, and the time left is worth more to the next tier. So a jury below
    its quorum always ends with QUORUM_IMPOSSIBLE or DEADLINE.

    With ballots, a quorum stops at once when they have decided; the end of the
    grace cuts off only jurors who cannot change the winner.

    Parameters
    ----------
    usable : int
        Answers that count, >= 0.
    unsettled : int
        Jurors that have neither answered nor failed, those included whose wave
        is still to come, >= 0.
    quorum : int
        Answers needed, >= 1.
    grace_over : bool
        Whether the stragglers' time after the quorum has passed.
    time_is_up : bool
        Whether the jury has to reply now.
    decided : bool
        Whether a stop rule found that the ballots have decided.
    may_change : bool
        Whether somebody unsettled could still change the winner.

    Returns
    -------
    Stop or None
        Why to stop; None to wait on.

    Examples
    --------
    >>> stop_reason(usable=2, unsettled=1, quorum=2, grace_over=True, time_is_up=False)
    <Stop.QUORUM: 'quorum'>
    >>> stop_reason(
    ...     usable=2, unsettled=1, quorum=2, grace_over=False, time_is_up=False, decided=True
    ... )
    <Stop.DECIDED: 'decided'>
    >>> stop_reason(usable=0, unsettled=1, quorum=2, grace_over=False, time_is_up=False)
    <Stop.QUORUM_IMPOSSIBLE: 'quorum_impossible'>
    """
    if usable + unsettled < quorum:
        return Stop.QUORUM_IMPOSSIBLE
    if unsettled == 0:
        return Stop.ALL_SETTLED
    if usable >= quorum and decided:
        return Stop.DECIDED
    if usable >= quorum and grace_over and not may_change:
        return Stop.QUORUM
    return Stop.DEADLINE if time_is_up else None


def affordable(jurors: int, *, model_calls: int | None, quorum: int) -> int:
    """How many jurors, counted from the first, may be asked.

    Nobody is asked when the lease cannot pay for a quorum: fewer answers than
    that are of no use to the caller.

    Parameters
    ----------
    jurors : int
        Jurors for whom no limit of the lease has nothing left, >= 0.
    model_calls : int or None
        Calls that the lease still allows, >= 0; None is no limit.
    quorum : int
        Answers needed, >= 1.

    Returns
    -------
    int
        In [0, `jurors`].

    Examples
    --------
    >>> affordable(5, model_calls=3, quorum=2)
    3
    >>> affordable(5, model_calls=1, quorum=2)
    0
    """
    calls = jurors if model_calls is None else min(jurors, model_calls)
    return calls if calls >= quorum else 0
