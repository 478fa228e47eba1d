"""Who leads a poll, and by how much at least in the end. Ballots in, numbers out: no clock, no I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

TIE: Final = 1e-9
"""Scores and priors closer than this are equal, as for the aggregator."""
ROUNDING: Final = 1e-12
"""Share of all weight by which sums of weights may be off."""
NONE: Final = ""
"""No class, and nobody."""


@dataclass(frozen=True, slots=True)
class Voter:
    """What a juror's ballot counts, as the aggregator will count it."""

    name: str
    weight: float = 1.0
    prior: float = -1.0
    """Probability in [0, 1] that it is right; below 0 when unknown."""
    alone: float = 0.0
    """Added where no two ballots agree."""
    abstaining: float = 0.0
    """Added where it abstains or calls no tool."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What a calibration knows of the jurors together."""

    none_score: float = 0.0
    abstain_score: float = 0.0
    abstain_key: str = NONE
    """Class that abstains or calls no tool; empty where none can."""
    best: str = NONE
    """Juror whose ballot stands wherever it gives one; empty when the vote decides."""
    slope: float = 1.0
    offset: float = 0.0
    plain: bool = False
    """Whether nothing was learned of votes: each counts its voter's weight, and what is added to it
    where it abstains."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A ballot that is in."""

    voter: Voter
    key: str
    number: int | float | None = None
    """What the ballot says, where it is a number."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What is in, and who may still vote or fail."""

    votes: tuple[Vote, ...]
    still_open: tuple[Voter, ...]
    fit: Fit | None = None
    """None: each ballot counts its voter's weight."""
    tolerance: float = 0.0
    """Share by which equal numbers may differ."""


def leader(poll: Poll) -> str:
    """Key of the class that leads now: by score, then by its likeliest juror, then the least key."""
    if poll.fit is not None and poll.fit.best in (cast := ballots(poll)):
        return cast[poll.fit.best]
    found = scores(poll)
    most = max(found.values()) - TIE
    top = {key: _prior(poll, key) for key, score in found.items() if score >= most}
    likely = max(top.values()) - TIE
    return min(key for key, prior in top.items() if prior >= likely)


def least_lead(poll: Poll) -> float:
    """Least lead over every other class that the leader can end with, whatever comes in yet.

    Above 0 it wins as surely as if all were waited for; infinite where the
    ballot that stands is in.

    Notes
    -----
    Whoever is out may vote for any class, found a new one, or give no ballot.
    An even end is a lead where the leader has the likeliest juror of all,
    since priors part ties. Of numbers, ballots within the tolerance may yet be
    grouped anew: only equal ones surely stay together, and all that are close
    count as one rival. O(n) for n ballots, O(n^2) for numbers.
    """
    if poll.fit is not None and poll.fit.best in ballots(poll):
        return math.inf
    key = leader(poll)
    low, _ = bounds(poll, key)
    rivals = [bounds(poll, v.key)[1] for v in poll.votes if v.key != key]
    if poll.tolerance > 0.0:
        rivals = [_close_high(poll, v, key) for v in poll.votes if v.key != key]
    if poll.still_open:
        rivals.append(_new_high(poll))
    lead = low - max(rivals, default=0.0) - _rounding(poll)
    if lead > TIE:
        return lead
    even = lead >= -TIE / 2.0 and bool(rivals) and _is_likeliest(poll, key)
    return TIE if even else min(0.0, lead)


def bounds(poll: Poll, key: str) -> tuple[float, float]:
    """Least and most that a class can score in the end."""
    score = scores(poll)[key]
    gains = [gain_of(voter, key, poll.fit) for voter in poll.still_open]
    first = next(vote.voter for vote in poll.votes if vote.key == key)
    alone = alone_of(first, poll) if poll.still_open else 0.0
    lost = max(0.0, alone) - sum(min(0.0, gain) for gain in gains)
    won = sum(max(0.0, gain) for gain in gains) - min(0.0, alone)
    return score - lost, score + won


def _new_high(poll: Poll) -> float:
    """Most that a class can score which nobody has voted for yet."""
    keys = [NONE]
    if poll.fit is not None and poll.fit.abstain_key not in ballots(poll).values():
        keys.append(poll.fit.abstain_key)
    return max(_founded(poll.still_open, key, poll) for key in keys)


def _founded(voters: Sequence[Voter], key: str, poll: Poll) -> float:
    gains = [gain_of(voter, key, poll.fit) for voter in voters]
    one = max(g + max(0.0, alone_of(v, poll)) for g, v in zip(gains, voters, strict=True))
    return base_of(key, poll.fit) + max(one, sum(max(0.0, gain) for gain in gains))


def _close_high(poll: Poll, least: Vote, key: str) -> float:
    """Most that numbers can score which are no less than one and within the tolerance of it."""
    near = [v for v in poll.votes if v.key != key and _is_close(least, v, poll.tolerance)]
    gains = sum(gain_of(v.voter, v.key, poll.fit) for v in near)
    alone = max(0.0, *(alone_of(v.voter, poll) for v in near))
    joining = sum(max(0.0, gain_of(voter, least.key, poll.fit)) for voter in poll.still_open)
    return base_of(least.key, poll.fit) + gains + alone + joining


def _is_close(least: Vote, other: Vote, tolerance: float) -> bool:
    if least.number is None or other.number is None:
        return least.key == other.key
    low, high = Fraction(least.number), Fraction(other.number)
    return 0 <= high - low <= Fraction(tolerance) * max(abs(low), abs(high))


def _is_likeliest(poll: Poll, key: str) -> bool:
    """Whether a class has a juror likelier than all who voted otherwise or are out."""
    others = [vote.voter.prior for vote in poll.votes if vote.key != key]
    others += [voter.prior for voter in poll.still_open]
    return _prior(poll, key) > max(others, default=-1.0) + TIE


def _rounding(poll: Poll) -> float:
    """What sums of scores may be off by."""
    most = sum(v.weight + abs(v.alone) + abs(v.abstaining) for v in everyone(poll))
    return ROUNDING * (most + abs(poll.fit.abstain_score if poll.fit else 0.0))


def scores(poll: Poll) -> dict[str, float]:
    """Score of each class as if nobody else came in."""
    found = {vote.key: base_of(vote.key, poll.fit) for vote in poll.votes}
    for vote in poll.votes:
        found[vote.key] += gain_of(vote.voter, vote.key, poll.fit) + alone_of(vote.voter, poll)
    return found


def gain_of(voter: Voter, key: str, fit: Fit | None) -> float:
    """What a voter's ballot for a class adds to its score."""
    if fit is None or not key or key != fit.abstain_key:
        return voter.weight
    return voter.weight + voter.abstaining


def base_of(key: str, fit: Fit | None) -> float:
    """Score of a class beside its ballots."""
    return fit.abstain_score if fit is not None and key and key == fit.abstain_key else 0.0


def alone_of(voter: Voter, poll: Poll) -> float:
    """What its ballot adds because no two agree so far."""
    is_fitted = poll.fit is not None and not poll.fit.plain
    lone = is_fitted and len({v.key for v in poll.votes}) == len(poll.votes)
    return voter.alone if lone else 0.0


def _prior(poll: Poll, key: str) -> float:
    """Prior of a class's likeliest juror."""
    return max(vote.voter.prior for vote in poll.votes if vote.key == key)


def ballots(poll: Poll) -> dict[str, str]:
    """Key of the ballot of everyone whose ballot is in."""
    return {vote.voter.name: vote.key for vote in poll.votes}


def everyone(poll: Poll) -> list[Voter]:
    return [*(vote.voter for vote in poll.votes), *poll.still_open]
