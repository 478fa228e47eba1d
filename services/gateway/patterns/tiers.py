"""What the patterns with several tiers have in common."""

from collections.abc import Sequence
from typing import Final

from gremium.v1 import router_pb2
from services.core.deadline import Deadline
from services.core.errors import (
    BudgetSpentError,
    DeadlineSpentError,
    GremiumError,
    NoEligibleTierError,
    OverloadedError,
    QuorumNotReachedError,
)
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.record import Record
from services.gateway.reserves import window_s
from services.runtime.wire import duration_from_wire

ANOTHER_TIER_MAY_ANSWER: Final = (
    QuorumNotReachedError,
    DeadlineSpentError,
    BudgetSpentError,
    OverloadedError,
)
"""A tier may be too slow, too dear or too busy where the next one is not."""


def window(case: Case, tiers: Sequence[router_pb2.Tier]) -> Deadline:
    """Until when the first of these tiers may take."""
    left_s = case.deadline.left_s
    latencies_s = [duration_from_wire(tier.expected_latency) for tier in tiers]
    return case.deadline.within(window_s(left_s, allowed_s=case.allowed_s, latencies_s=latencies_s))


def escalate(
    record: Record,
    tiers: Sequence[router_pb2.Tier],
    *,
    reason_text: str,
    confidence: float | None = None,
) -> None:
    """Note that the first of these tiers was not enough, if there is another one."""
    if len(tiers) > 1:
        record.escalated(
            from_tier=tiers[0].name,
            to_tier=tiers[1].name,
            reason_text=reason_text,
            confidence=confidence,
        )


def kept(ending: Ending | None, failure: GremiumError, record: Record) -> Ending:
    """What an earlier tier gave, after the last one; degraded if one was lost with its stage.

    Raises
    ------
    GremiumError
        The failure, if there is nothing to keep.
    """
    if ending is None:
        raise failure
    in_order = (*ANOTHER_TIER_MAY_ANSWER, NoEligibleTierError)
    record.degraded |= not isinstance(failure, in_order)
    return ending


def better(earlier: Ending | None, later: Ending) -> Ending:
    """The later ending, unless only the earlier one has something to give."""
    if earlier is None or earlier.answer is None or later.answer is not None:
        return later
    return earlier
