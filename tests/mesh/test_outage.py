"""A service that hangs costs the request what the service would have given, never the deadline."""

import re
import time

import grpc
import pytest

from gremium.v1 import manifest_pb2
from tests.mesh.meshes import reason, request_id
from tests.mesh.test_ask import FAIL, PASS

JUDGED = {"jurors": [{"model": "a"}], "judge": {"models": ["judge"], "timeout_s": 1}}
TIMEOUT_S = 2.0


async def test_a_hung_judge_costs_the_verdict(serve):
    gateway = await serve(JUDGED, hung={"judge"})
    began_s = time.monotonic()

    reply = await gateway.ask(timeout_s=TIMEOUT_S)

    assert time.monotonic() - began_s < TIMEOUT_S
    assert ("4", True, True) == (reply.answer.text, reply.unjudged, reply.degraded)
    last = reply.manifest.participations[-1]
    assert (manifest_pb2.STAGE_JUDGE, manifest_pb2.PARTICIPATION_STATUS_FAILED) == (
        last.stage,
        last.status,
    )
    assert "DEADLINE_SPENT" == last.reason


@pytest.mark.parametrize("stage", ["router", "aggregator"])
async def test_a_hung_stage_is_replaced_before_the_deadline(serve, stage):
    gateway = await serve(JUDGED, {"judge": PASS}, hung={stage})
    began_s = time.monotonic()

    reply = await gateway.ask(timeout_s=TIMEOUT_S)

    assert time.monotonic() - began_s < TIMEOUT_S
    assert ("4", False, True) == (reply.answer.text, reply.unjudged, reply.degraded)
    (lost,) = [part for part in reply.manifest.participations if part.reason]
    assert (f"STAGE_{stage.upper()}", "DEADLINE_SPENT") == (
        manifest_pb2.Stage.Name(lost.stage),
        lost.reason,
    )


async def test_a_judge_may_fail_closed(serve):
    judge = {**JUDGED["judge"], "on_failure": "closed"}
    gateway = await serve({**JUDGED, "judge": judge}, hung={"judge"})

    reply = await gateway.ask(timeout_s=TIMEOUT_S)

    assert (manifest_pb2.OUTCOME_REJECTED, True, True) == (
        reply.outcome,
        reply.unjudged,
        reply.degraded,
    )
    assert not reply.HasField("answer")


@pytest.mark.parametrize("stage", ["jury"])
async def test_a_hung_stage_without_a_fallback_is_told_before_the_deadline(serve, stage):
    gateway = await serve(JUDGED, hung={stage})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(timeout_s=TIMEOUT_S, request_id="hung")

    assert ("DEADLINE_SPENT", "hung") == (reason(caught.value), request_id(caught.value))
    told = rf"{stage} did not answer within \d\.\d s of the 2\.0 s"
    assert re.fullmatch(told, caught.value.details())
    manifest = await gateway.manifest("hung")
    assert stage == manifest.error.metadata["stage"]
    last = manifest.participations[-1]
    assert (f"STAGE_{stage.upper()}", "DEADLINE_SPENT") == (
        manifest_pb2.Stage.Name(last.stage),
        last.reason,
    )


TIERS = [{"name": name, "jurors": [{"model": name}]} for name in "ab"]
JUDGE = {"models": ["judge"]}
CASCADE = {"pattern": "cascade", "tiers": TIERS, "judge": JUDGE, "accept_at": 0.95}
ROUTE = {"pattern": "route", "tiers": TIERS, "judge": JUDGE, "min_adequacy": 0.01}


@pytest.mark.parametrize(
    ("ensemble", "verdict", "lost", "outcome"),
    [
        pytest.param(CASCADE, PASS, "a", "ANSWERED", id="cascade, first"),
        pytest.param(CASCADE, PASS, "b", "ANSWERED", id="cascade, second"),
        pytest.param(ROUTE, PASS, "a", "ANSWERED", id="route, first"),
        pytest.param(ROUTE, FAIL, "b", "REJECTED", id="route, second"),
    ],
)
async def test_a_jury_that_hangs_in_one_tier_is_told_with_what_another_gave(
    serve, ensemble, verdict, lost, outcome
):
    gateway = await serve(ensemble, {"judge": verdict}, hung={f"jury:{lost}"})

    reply = await gateway.ask(timeout_s=4.0)

    assert (outcome, True) == (manifest_pb2.Outcome.Name(reply.outcome)[8:], reply.degraded)
    (part,) = [p for p in reply.manifest.participations if p.reason == "DEADLINE_SPENT"]
    assert (manifest_pb2.STAGE_JURY, lost) == (part.stage, part.tier)


async def test_a_model_that_hangs_in_a_tier_is_no_lost_stage(serve):
    tiers = [{"name": "a", "jurors": [{"model": "hang"}]}, TIERS[1]]
    gateway = await serve({**CASCADE, "tiers": tiers}, {"judge": PASS})

    assert not (await gateway.ask(timeout_s=4.0)).degraded
