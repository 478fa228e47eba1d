"""What is left of a request's budget after each stage. No I/O."""

from typing import Final

from gremium.v1 import types_pb2
from services.core import errors
from services.core.lease import Lease

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


def may_have_spent(error: BaseException) -> bool:
    """Whether a stage that failed so may have spent.

    Then nobody knows how much: all that it got counts, since a budget is a
    promise to the caller.
    """
    return not isinstance(error, NOTHING_SPENT)
