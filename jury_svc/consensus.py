"""Whether it is settled that the leader has, or lacks, what it needs. Ballots in: no clock, no I/O."""

import math
from collections.abc import Iterable
from functools import reduce
from typing import Final

from jury_svc.leads import (
    NONE,
    TIE,
    Fit,
    Poll,
    Voter,
    alone_of,
    ballots,
    base_of,
    bounds,
    gain_of,
    leader,
    scores,
)
from services.core.probability import LEAST, log_odds, sigmoid

MOST: Final = -log_odds(LEAST)
"""Log-odds that no probability goes beyond."""


def is_settled(poll: Poll, *, min_share: float, min_confidence: float) -> bool:
    """Whether nobody who is out changes that there is a consensus, or that there is none.

    Parameters
    ----------
    poll : Poll
        The leader of which nobody can catch up with.
    min_share : float
        Share in [0, 1] that the leader will need: of the weight; with a fit, of
        what P(correct) the classes have before calibration.
    min_confidence : float
        P(correct) in [0, 1] that it will need. Without a fit that is a guess by
        how many come in, so it is settled only when nobody is out.

    Notes
    -----
    Whoever is out may give no ballot, join any class or found a new one. The
    bounds are safe, not tight: the rivals' sum of exp(score) grows with each
    ballot at most as if the largest were all of it. O(n^2) for n ballots.
    """
    if not poll.still_open:
        return True
    is_gated = poll.fit is not None and poll.fit.best in ballots(poll)
    if poll.fit is None or poll.fit.plain:
        return min_confidence <= 0.0 and (is_gated or _has_share(poll, min_share))
    shares = [sigmoid(odds) for odds in _odds(poll, -math.inf)]
    chances = [_mapped(poll.fit, odds) for odds in _odds(poll, poll.fit.none_score)]
    return (is_gated or _is_beyond(shares, min_share)) and _is_beyond(chances, min_confidence)


def p_correct(poll: Poll) -> float:
    """P(correct) of the leader by the conditional logit, as the aggregator would tell it now."""
    fit = poll.fit or Fit()
    found, key = scores(poll), leader(poll)
    others = _log_sum(score for other, score in found.items() if other != key)
    return _mapped(fit, found[key] - _log_add(others, fit.none_score))


def _mapped(fit: Fit, odds: float) -> float:
    return sigmoid(fit.slope * max(-MOST, min(odds, MOST)) + fit.offset)


def _is_beyond(ends: Iterable[float], needed: float) -> bool:
    """Whether a number between these ends reaches, or misses, what is needed in any case."""
    low, high = sorted(ends)
    return needed <= 0.0 or low >= needed - TIE / 2.0 or high < needed - 2.0 * TIE


def _has_share(poll: Poll, needed: float) -> bool:
    """Whether the leader has the share of the weight in any case, or lacks it, without a fit."""
    key = leader(poll)
    cast = [(vote.key, gain_of(vote.voter, vote.key, poll.fit)) for vote in poll.votes]
    own = sum(gain for voted, gain in cast if voted == key)
    others = sum(gain for voted, gain in cast if voted != key)
    against = sum(_most_elsewhere(voter, key, poll.fit) for voter in poll.still_open)
    if needed <= 0.0 or own >= (needed - TIE / 2.0) * (own + others + against):
        return True
    joined = own + sum(gain_of(voter, key, poll.fit) for voter in poll.still_open)
    return poll.tolerance <= 0.0 and joined < (needed - 2.0 * TIE) * (joined + others)


def _most_elsewhere(voter: Voter, key: str, fit: Fit | None) -> float:
    """Most that a voter's ballot can weigh for another class."""
    return max(gain_of(voter, other, fit) for other in _elsewhere(key, fit))


def _elsewhere(key: str, fit: Fit | None) -> set[str]:
    """Classes that are not this one, as far as they count differently."""
    return {NONE, fit.abstain_key if fit else NONE} - {key}


def _odds(poll: Poll, none_score: float) -> tuple[float, float]:
    """Least and most log-odds that the leader can end with against all others and `none_score`."""
    key = leader(poll)
    low, high = bounds(poll, key)
    if poll.tolerance > 0.0:  # of numbers, others may yet be grouped with it
        return low - _log_add(_most(poll, key), none_score), math.inf
    least = _log_sum(bounds(poll, other)[0] for other in scores(poll) if other != key)
    return low - _log_add(_most(poll, key), none_score), high - _log_add(least, none_score)


def _most(poll: Poll, key: str) -> float:
    """Log of the most that the sum of exp(score) of all classes but one can be."""
    rivals = [vote for vote in poll.votes if vote.key != key]
    joining = [*(vote.voter for vote in rivals), *poll.still_open]
    at_first = -math.inf
    if poll.tolerance <= 0.0:
        joining = list(poll.still_open)
        now, lone = scores(poll), {vote.key: alone_of(vote.voter, poll) for vote in rivals}
        at_first = _log_sum(now[other] - min(0.0, extra) for other, extra in lone.items())
    return reduce(lambda total, voter: _joined(poll, total, voter, key), joining, at_first)


def _joined(poll: Poll, total: float, voter: Voter, key: str) -> float:
    """The most that the sum grows to by one more ballot: in the largest class, or in its own."""
    gains = {other: gain_of(voter, other, poll.fit) for other in _elsewhere(key, poll.fit)}
    alone = max(0.0, alone_of(voter, poll))
    own = max(
        (base_of(other, poll.fit) + g + alone for other, g in gains.items()), default=-math.inf
    )
    return max(total + max(0.0, *gains.values()), _log_add(total, own))


def _log_sum(values: Iterable[float]) -> float:
    return reduce(_log_add, values, -math.inf)


def _log_add(one: float, other: float) -> float:
    """log(exp(one) + exp(other))."""
    most, least = max(one, other), min(one, other)
    return most if math.isinf(most) else most + math.log1p(math.exp(least - most))
