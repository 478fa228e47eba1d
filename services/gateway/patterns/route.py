"""Pattern route: ask the cheapest adequate tier; what the judge fails goes to the next."""

from gremium.v1 import manifest_pb2
from services.core.errors import GremiumError, NoEligibleTierError
from services.gateway import stages
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.mesh import Mesh
from services.gateway.patterns.tiers import ANOTHER_TIER_MAY_ANSWER, better, escalate, kept, window
from services.gateway.record import Record


async def route(case: Case, *, mesh: Mesh, record: Record) -> Ending:
    """Route, then tier by tier deliberate, aggregate and verify, until one answers.

    A tier that fails never costs what an earlier one gave.

    Raises
    ------
    QuorumNotReachedError
        If the last tier that was asked had too few answers, and no
        earlier one had enough.
    GremiumError
        If a stage failed before any tier had ended.
    """
    tiers = await stages.route(case, mesh=mesh, record=record)

    best: Ending | None = None
    failure: GremiumError = NoEligibleTierError("the router named no tier")
    for nth, tier in enumerate(tiers):
        until = window(case, tiers[nth:])
        try:
            ending = await stages.try_tier(case, tier, until=until, mesh=mesh, record=record)
        except ANOTHER_TIER_MAY_ANSWER as err:
            failure = err
            escalate(record, tiers[nth:], reason_text=str(err))
            continue
        except GremiumError as err:
            return kept(best, err, record)
        best = better(best, ending)
        if ending.outcome == manifest_pb2.OUTCOME_ANSWERED or ending.judge_lost:
            return best
        escalate(record, tiers[nth:], reason_text=ending.reason_text)

    return kept(best, failure, record)
