"""Models that are busy are no failed quorum: nothing was spent, and coming back later helps."""

import pytest

from gremium.v1 import jury_pb2, manifest_pb2
from services.core.errors import OverloadedError, QuorumNotReachedError
from services.gateway.patterns.route import route
from services.gateway.record import Record
from tests.cases import case
from tests.fakes import PASS, ScriptedMesh
from tests.unit.gateway.test_route import TWO


class BusyMesh(ScriptedMesh):
    """A mesh some of whose tiers are refused by their models."""

    def __init__(self, tiers, *, busy, model_calls=0, reason="OVERLOADED"):
        super().__init__(tiers, verdicts=[PASS])
        self._busy = busy
        self._part = manifest_pb2.Participation(
            stage=manifest_pb2.STAGE_JURY,
            status=manifest_pb2.PARTICIPATION_STATUS_SKIPPED,
            reason=reason,
            model_calls=model_calls,
        )

    async def deliberate(self, request, *, deadline, watch=None):
        if request.tier not in self._busy:
            return await super().deliberate(request, deadline=deadline, watch=watch)
        self.asked.append(request.tier)
        return jury_pb2.DeliberateResponse(participations=[self._part], quorum_met=False)


TIERS = {"small": ["41"], "large": ["42"]}


async def answered(mesh):
    asked = case(*TWO)
    return await route(asked, mesh=mesh, record=Record(asked))


@pytest.mark.parametrize("reason", ["OVERLOADED", "THROTTLED"])
async def test_a_request_whose_models_are_all_busy_may_come_again(reason):
    with pytest.raises(OverloadedError):
        await answered(BusyMesh(TIERS, busy=TIERS, reason=reason))


async def test_a_busy_tier_is_followed_by_the_next():
    mesh = BusyMesh(TIERS, busy={"small"})
    ending = await answered(mesh)

    assert "42" == ending.answer.text
    assert ["small", "large"] == mesh.asked


@pytest.mark.parametrize(("reason", "calls"), [("OVERLOADED", 1), ("CONNECTION", 0)])
async def test_what_was_spent_or_failed_is_a_failed_quorum(reason, calls):
    with pytest.raises(QuorumNotReachedError):
        await answered(BusyMesh(TIERS, busy=TIERS, reason=reason, model_calls=calls))
