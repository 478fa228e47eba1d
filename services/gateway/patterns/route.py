"""Pattern route: ask the cheapest adequate tier; what the judge fails goes to the next."""

from collections.abc import Sequence
from typing import Final

from gremium.v1 import manifest_pb2, router_pb2
from services.core.deadline import Deadline
from services.core.errors import (
    BudgetSpentError,
    DeadlineSpentError,
    GremiumError,
    NoEligibleTierError,
    QuorumNotReachedError,
)
from services.gateway import stages
from services.gateway.case import Case
from services.gateway.mesh import Mesh
from services.gateway.record import Ending, Record
from services.gateway.reserves import window_s
from services.runtime.wire import duration_from_wire

ANOTHER_TIER_MAY_ANSWER: Final = (QuorumNotReachedError, DeadlineSpentError, BudgetSpentError)
"""A tier may be too slow or too dear where the next one is not."""


async def route(case: Case, *, mesh: Mesh, record: Record) -> Ending:
    """Route, then tier by tier deliberate, aggregate and verify, until one answers.

    A tier that fails never costs what an earlier one gave.

    Raises
    ------
    QuorumNotReachedError
        If the last tier that was asked had too few answers in time, and no
        earlier one had enough.
    GremiumError
        If a stage failed before any tier had ended.
    """
    tiers = await stages.route(case, mesh=mesh, record=record)

    best: Ending | None = None
    failure: GremiumError = NoEligibleTierError("the router named no tier")
    for nth, tier in enumerate(tiers):
        until = _window(case, tiers[nth:])
        try:
            ending = await stages.try_tier(case, tier, until=until, mesh=mesh, record=record)
        except ANOTHER_TIER_MAY_ANSWER as err:
            failure = err
            continue
        except GremiumError as err:
            failure = err
            break
        best = better(best, ending)
        if ending.outcome == manifest_pb2.OUTCOME_ANSWERED:
            break

    if best is None:
        raise failure
    return best


def _window(case: Case, tiers: Sequence[router_pb2.Tier]) -> Deadline:
    """Until when the first of these tiers may take."""
    left_s = case.deadline.left_s
    latencies_s = [duration_from_wire(tier.expected_latency) for tier in tiers]
    return case.deadline.within(window_s(left_s, allowed_s=case.allowed_s, latencies_s=latencies_s))


def better(earlier: Ending | None, later: Ending) -> Ending:
    """The later ending, unless only the earlier one has something to give."""
    if earlier is None or earlier.answer is None or later.answer is not None:
        return later
    return earlier
