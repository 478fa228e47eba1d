"""Pattern jury: ask all eligible jurors at once and decide between their answers."""

from services.gateway import stages
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.mesh import Mesh
from services.gateway.record import Record
from services.gateway.reserves import window_s


async def jury(case: Case, *, mesh: Mesh, record: Record) -> Ending:
    """Route, deliberate, aggregate, verify the representative.

    Raises
    ------
    QuorumNotReachedError
        If too few jurors answered.
    GremiumError
        If a stage failed.
    """
    tier, *_ = await stages.route(case, mesh=mesh, record=record)
    seconds = window_s(case.deadline.left_s, allowed_s=case.allowed_s)
    return await stages.try_tier(
        case, tier, until=case.deadline.within(seconds), mesh=mesh, record=record
    )
