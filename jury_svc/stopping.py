"""When the ballots that are in have decided. Ballots in, a finding out: no clock, no I/O."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from jury_svc.consensus import is_settled, p_correct
from jury_svc.leads import Poll, Vote, Voter, leader, least_lead
from services.core.closeness import close_groups


class Rule(StrEnum):
    """By what a jury finds that it need not wait any longer."""

    UNCATCHABLE = "uncatchable"
    BETA = "beta"
    AGREE = "agree"
    POSTERIOR = "posterior"


@dataclass(frozen=True, slots=True)
class Terms:
    """When to stop."""

    rule: Rule = Rule.UNCATCHABLE
    gamma: float = 0.95
    agree: int = 3
    tau: float = 0.95
    min_share: float = 0.0
    """Share of the weight that the leader will need, in [0, 1]."""
    min_confidence: float = 0.0
    """P(correct) that the leader will need, in [0, 1]."""


def is_decided(poll: Poll, terms: Terms) -> bool:
    """Whether the rule lets the jury stop; never while the juror is out whose ballot would stand.

    Examples
    --------
    >>> a, b, c = Voter("a"), Voter("b"), Voter("c")
    >>> is_decided(Poll((Vote(a, "x"), Vote(b, "x")), (c,)), Terms())
    True
    >>> is_decided(Poll((Vote(a, "x"), Vote(b, "y")), (c,)), Terms())
    False
    """
    found = statistic(poll, terms)
    if found is None:
        return False
    match rule_of(poll, terms):
        case Rule.UNCATCHABLE:
            return found > 0.0 and is_settled(
                poll, min_share=terms.min_share, min_confidence=terms.min_confidence
            )
        case Rule.BETA:
            return found >= terms.gamma
        case Rule.AGREE:
            return found >= terms.agree
        case Rule.POSTERIOR:
            return found >= terms.tau


def may_change(poll: Poll, terms: Terms) -> bool:
    """Whether somebody who is out could change what is decided, or whether it is."""
    return not is_decided(poll, replace(terms, rule=Rule.UNCATCHABLE))


def could_decide(poll: Poll, out: Sequence[Voter], terms: Terms) -> bool:
    """Whether the rule would let the jury stop if all who are out agreed with the leader."""
    key, number = _leading(poll)
    agreed = tuple(Vote(voter, key, number) for voter in out)
    left = tuple(voter for voter in poll.still_open if voter not in out)
    return is_decided(replace(poll, votes=(*poll.votes, *agreed), still_open=left), terms)


def rule_of(poll: Poll, terms: Terms) -> Rule:
    """The rule; for want of a fit, that of a posterior is UNCATCHABLE."""
    is_fitted = poll.fit is not None and not poll.fit.plain
    return Rule.UNCATCHABLE if terms.rule is Rule.POSTERIOR and not is_fitted else terms.rule


def statistic(poll: Poll, terms: Terms) -> float | None:
    """What the rule goes by; None while it cannot be told.

    For UNCATCHABLE the least lead that the leader can end with, above 0 when
    nobody can catch up; for BETA the probability that the leader is the more
    usual answer of the two leading ones; for AGREE how many agree with the
    leader; for POSTERIOR its P(correct).
    """
    if not poll.votes or _awaits_best(poll):
        return None
    match rule_of(poll, terms):
        case Rule.UNCATCHABLE:
            return least_lead(poll)
        case Rule.BETA:
            return beta(*_counts(_grouped(poll)))
        case Rule.AGREE:
            return float(_counts(_grouped(poll))[0])
        case Rule.POSTERIOR:
            return p_correct(_grouped(poll))


def beta(first: int, second: int) -> float:
    """Probability that the leading answer is the more usual one of the two leading ones.

    Parameters
    ----------
    first, second : int
        Ballots of the two, >= 0.

    Returns
    -------
    float
        1 - I_{1/2}(first + 1, second + 1), in (0, 1).

    Notes
    -----
    A uniform prior over the leader's share of the ballots for the two [1]_;
    the incomplete beta function of integers is the tail of a binomial.

    References
    ----------
    .. [1] P. Aggarwal et al. Let's Sample Step by Step: Adaptive-Consistency.
       arXiv:2305.11860, 2023.

    Examples
    --------
    >>> beta(2, 0), beta(3, 1)
    (0.875, 0.8125)
    """
    draws = first + second + 1
    tail = sum(math.comb(draws, k) for k in range(first + 1, draws + 1))
    return 1.0 - float(tail / 2**draws)


def _awaits_best(poll: Poll) -> bool:
    """Whether a ballot is out that would stand alone."""
    return poll.fit is not None and any(v.name == poll.fit.best for v in poll.still_open)


def _leading(poll: Poll) -> tuple[str, int | float | None]:
    if not poll.votes:
        return "ANY", None
    key = leader(poll)
    return key, next(vote.number for vote in poll.votes if vote.key == key)


def _counts(poll: Poll) -> tuple[int, int]:
    """Ballots of the leader, and most of any other class."""
    key = leader(poll)
    sizes = Counter(vote.key for vote in poll.votes)
    return sizes[key], max((n for other, n in sizes.items() if other != key), default=0)


def _grouped(poll: Poll) -> Poll:
    """The same votes; numbers within the tolerance have one key."""
    told = [(i, vote.number) for i, vote in enumerate(poll.votes) if vote.number is not None]
    if poll.tolerance <= 0.0:
        return poll
    group = close_groups([number for _, number in told], relative_tolerance=poll.tolerance)
    keys = {i: poll.votes[told[first][0]].key for (i, _), first in zip(told, group, strict=True)}
    votes = (replace(vote, key=keys.get(i, vote.key)) for i, vote in enumerate(poll.votes))
    return replace(poll, votes=tuple(votes))
