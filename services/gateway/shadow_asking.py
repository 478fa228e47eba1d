"""Asks a cheaper tier what a dearer one has answered, and compares. Mirrors what a request does."""

import asyncio
from typing import Final

from gremium.v1 import ensemble_pb2, router_pb2, shadow_pb2
from services.core.errors import DeadlineSpentError, GremiumError, QuorumNotReachedError
from services.gateway import stages
from services.gateway.case import Case
from services.gateway.failures import error_record
from services.gateway.mesh import Mesh
from services.gateway.record import Record
from services.gateway.reserves import window_s
from services.gateway.shadow_comparison import Finding, Pair, compared
from services.gateway.shadow_costs import Costs

OWN_FAILURES: Final = (QuorumNotReachedError, DeadlineSpentError)
"""How a tier fails by itself: too few of its jurors answered, or none in time. They quote nobody."""
UNCOUNTED: Final = "best_juror"
"""How a tally was made when there was no aggregator."""


async def asked(
    case: Case,
    tier: router_pb2.Tier,
    reply: ensemble_pb2.AskResponse,
    *,
    costs: Costs,
    mesh: Mesh,
    record: Record,
) -> Finding:
    """What the tier would have answered, beside what was given. Its failure is no difference."""
    spendable, kept = costs.leases
    left_s = window_s(case.deadline.left_s, allowed_s=case.allowed_s)
    until = case.deadline.within(left_s)
    try:
        with record.keeping(kept, of=spendable):
            aggregated = await stages.tallied(case, tier, until=until, mesh=mesh, record=record)
    except GremiumError as err:
        return _failed(err, models_asked=record.models_asked)
    tally = aggregated.tally
    if not tally.consensus:
        failed = shadow_pb2.SHADOW_VERDICT_FAILED
        return Finding(failed, reason="NO_CONSENSUS", reason_text="its jurors disagree too much")
    if tally.method == UNCOUNTED:
        lost = shadow_pb2.SHADOW_VERDICT_BROKEN_OFF
        return Finding(lost, reason="UNCOUNTED", reason_text="there was no aggregator")
    pair = Pair(reply.answer, aggregated.representative)
    return await compared(case, pair, mesh=mesh, record=record)


def _failed(error: GremiumError, *, models_asked: bool) -> Finding:
    """A tier that answered too little or too late; what else goes wrong tells nothing of it."""
    if not models_asked:
        return Finding(shadow_pb2.SHADOW_VERDICT_NOT_ASKED, reason=error.reason)
    if isinstance(error, OWN_FAILURES):
        failed = shadow_pb2.SHADOW_VERDICT_FAILED
        return Finding(failed, reason=error.reason, reason_text=str(error))
    return Finding(shadow_pb2.SHADOW_VERDICT_BROKEN_OFF, reason=error.reason)


def broken_off(error: BaseException) -> Finding:
    """What is found when the gateway stops, or breaks."""
    told = error_record(error)
    text = "the gateway stopped" if isinstance(error, asyncio.CancelledError) else told.message
    return Finding(shadow_pb2.SHADOW_VERDICT_BROKEN_OFF, reason=told.reason, reason_text=text)
