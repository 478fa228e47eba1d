"""Whoever looks on sees a request from its first step until its end, whatever the end is."""

import pytest

from gremium.v1 import manifest_pb2
from services.core import errors
from services.gateway import flow
from services.gateway.live import UNDERWAY
from tests.cases import case
from tests.fakes import PASS, ScriptedMesh


async def test_a_request_is_seen_while_its_jury_is_asked(ledger):
    asked, seen = case(), []

    class Looking(ScriptedMesh):
        async def deliberate(self, request, *, deadline, watch=None):
            seen.extend(asked.live.latest(5))
            return await super().deliberate(request, deadline=deadline, watch=watch)

    await flow.ask(asked, mesh=Looking({"small": ["42"]}, verdicts=[PASS]), ledger=ledger)

    ((part,),) = [manifest.participations for manifest in seen]
    assert ("r1", "main", "route") == (seen[0].request_id, seen[0].ensemble, seen[0].pattern)
    assert (manifest_pb2.STAGE_JURY, "small", UNDERWAY) == (part.stage, part.tier, part.status)
    assert (0, 1, None) == (asked.live.count, asked.live.ended, asked.live.manifest("r1"))


async def test_what_was_done_so_far_is_seen_with_what_is_underway(ledger):
    asked, seen = case(), []

    class Looking(ScriptedMesh):
        async def verify(self, request, *, deadline):
            seen.append(asked.live.manifest("r1"))
            return await super().verify(request, deadline=deadline)

    await flow.ask(asked, mesh=Looking({"small": ["42"]}, verdicts=[PASS]), ledger=ledger)

    (manifest,) = seen
    stages = [manifest_pb2.Stage.Name(p.stage).lower() for p in manifest.participations]
    assert ["stage_router", "stage_jury", "stage_aggregator", "stage_judge"] == stages
    assert UNDERWAY == manifest.participations[-1].status
    assert ["42"] == [answer.text for answer in manifest.answers]


async def test_a_failure_ends_it_too(ledger):
    asked = case()
    with pytest.raises(errors.PeerError):
        await flow.ask(
            asked, mesh=ScriptedMesh({"small": errors.PeerError("jury is down")}), ledger=ledger
        )

    assert (0, 1) == (asked.live.count, asked.live.ended)
