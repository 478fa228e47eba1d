"""What is left of a request's budget after each stage. No I/O."""

from collections.abc import Sequence
from typing import Final

from gremium.v1 import types_pb2
from services.core import errors
from services.core.lease import Call, Lease

NOTHING_SPENT: Final = (
    errors.PeerError,
    errors.OverloadedError,
    errors.InvalidRequestError,
    errors.UnknownModelError,
)
"""A stage that fails so has not begun."""


def whole(budget: types_pb2.Budget) -> Lease:
    """All of a request's budget."""
    return Lease(
        budget.max_cost_usd if budget.HasField("max_cost_usd") else None,
        budget.max_model_calls if budget.HasField("max_model_calls") else None,
        budget.max_tokens if budget.HasField("max_tokens") else None,
    )


def returned(lease: Lease, unspent: Lease) -> Lease:
    """What is left when a stage got `lease` and returned `unspent`.

    A limit that the stage did not return counts as spent, and it cannot return
    more than it got.
    """
    return Lease(
        None if lease.cost_usd is None else min(lease.cost_usd, unspent.cost_usd or 0.0),
        None if lease.model_calls is None else min(lease.model_calls, unspent.model_calls or 0),
        None if lease.tokens is None else min(lease.tokens, unspent.tokens or 0),
    )


def before_jury(
    lease: Lease, jurors: Sequence[Call], *later: Sequence[Call], quorum: int
) -> tuple[Lease, Lease]:
    """What a jury may spend, and what is kept for later: of each stage one call, at its dearest.

    `later` holds the calls of at least one stage, each of at least one model.

    Calls are kept unless that leaves fewer than the quorum needs. Money and
    tokens are kept out of what the jurors do not need for one call each, so that
    retries do not eat the verdict, and the verdict shortens no answer.

    Examples
    --------
    >>> juror, judge = Call(10, 90), Call(100, 100)
    >>> spendable, kept = before_jury(
    ...     Lease(model_calls=10, tokens=900), [juror] * 8, [judge], quorum=5
    ... )
    >>> spendable.model_calls, spendable.tokens, kept.tokens
    (9, 800, 100)
    """
    over = 0 if lease.model_calls is None else max(0, lease.model_calls - quorum)
    usd = sum(max(call.cost_usd for call in calls) for calls in later)
    tokens = sum(max(call.tokens for call in calls) for calls in later)
    kept = Lease(
        _spare(lease.cost_usd, sum(call.cost_usd for call in jurors), usd),
        min(len(later), over),
        int(_spare(lease.tokens, sum(call.tokens for call in jurors), tokens)),
    )
    spendable = lease.less(
        cost_usd=kept.cost_usd or 0.0, model_calls=kept.model_calls or 0, tokens=kept.tokens or 0
    )
    return spendable, kept


def _spare(left: float | None, first: float, then: float) -> float:
    """Of what the first ones do not need, as much as the next ones do."""
    return 0.0 if left is None else max(0.0, min(left - first, then))


def before_verdict(lease: Lease) -> tuple[Lease, Lease]:
    """What comparing answers may spend, and what is kept for the verdict: a call, half the rest.

    Examples
    --------
    >>> spendable, kept = before_verdict(Lease(model_calls=5, tokens=300))
    >>> spendable.model_calls, kept.model_calls, kept.tokens
    (4, 1, 150)
    """
    spendable = Lease(
        None if lease.cost_usd is None else lease.cost_usd / 2,
        None if lease.model_calls is None else max(0, lease.model_calls - 1),
        None if lease.tokens is None else lease.tokens // 2,
    )
    kept = lease.less(
        cost_usd=spendable.cost_usd or 0.0,
        model_calls=spendable.model_calls or 0,
        tokens=spendable.tokens or 0,
    )
    return spendable, kept


def joined(one: Lease, other: Lease) -> Lease:
    """Both leases as one; a limit that either lacks is none."""
    return Lease(
        None if one.cost_usd is None else one.cost_usd + (other.cost_usd or 0.0),
        None if one.model_calls is None else one.model_calls + (other.model_calls or 0),
        None if one.tokens is None else one.tokens + (other.tokens or 0),
    )


def may_have_spent(error: BaseException) -> bool:
    """Whether a stage that failed so may have spent.

    Then nobody knows how much: all that it got counts, since a budget is a
    promise to the caller.
    """
    return not isinstance(error, NOTHING_SPENT)
