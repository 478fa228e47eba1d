"""R1: no hop outlives the caller's deadline, and nothing of a request is left behind it."""

import asyncio
import time

import grpc
import pytest

from services.config.load import load
from tests.collector import label, sampled
from tests.fault.five import config, jury, model, request
from tests.fault.shared import Places
from tests.fault.stubs import Mode
from tests.mesh.meshes import gateway as served_gateway
from tests.mesh.meshes import grpc_mesh

DEADLINE_S = 2.0
SCRIPT = {"hour": Mode(delay_s=3600.0)}


def shared_juries(places):
    url = places.url
    hour, four = model("hour", url), model("four", url)
    alone = jury({"hour": hour}, "alone", quorum=1)
    among = jury({"a": four, "b": four, "hour": hour}, "among", quorum=3)
    enough = jury({"a": four, "b": four, "hour": hour}, "enough-hour", quorum=2)
    return [alone, among, enough]


@pytest.mark.parametrize("ensemble", ["alone", "among"])
def test_a_juror_that_sleeps_an_hour_costs_no_more_than_the_deadline(
    row, gateway, provider, collector, ensemble
):
    trace_id, metadata = sampled()
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        gateway.Ask(request(f"{ensemble}-{row.turn}"), timeout=DEADLINE_S, metadata=metadata)
    took_s = time.monotonic() - began

    assert caught.value.code().name in {"DEADLINE_EXCEEDED", "ABORTED"}
    row.at_most("R1", "answer after the deadline by", took_s - DEADLINE_S, 0.05, unit="s")
    seen = provider.until(lambda seen: not seen.underway, within_s=1.0)
    left = [event.at for event in seen.events if event.what == "left"]
    row.at_most(
        "R1", "socket left after the deadline by", left[-1] - began - DEADLINE_S, 0.05, unit="s"
    )
    collector.trace(trace_id, is_whole)


def is_whole(spans):
    """Whether every span that another names as its parent has ended, up to the caller's own."""
    ended = {span.span_id for span in spans}
    roots = [span for span in spans if span.parent_span_id not in ended]
    return bool(spans) and ["server gremium.v1.EnsembleService/Ask"] == [label(r) for r in roots]


def test_with_enough_others_it_is_an_answer(row, gateway, provider):
    reply = gateway.Ask(request(f"enough-hour-{row.turn}"), timeout=DEADLINE_S)

    assert ("4", True) == (reply.answer.text, reply.degraded)


async def test_no_task_is_left(row, provider, tmp_path):
    path = tmp_path / "gremium.yaml"
    path.write_text(config(shared_juries(Places(provider.url, "", "")), provider.url))
    loaded = load(path)
    async with grpc_mesh(loaded, ()) as mesh, served_gateway(loaded, mesh) as served:
        await served.Ask(request(), timeout=DEADLINE_S)
        await asyncio.sleep(0.1)  # the call's own tasks end after its reply
        before = len(asyncio.all_tasks())
        with pytest.raises(grpc.aio.AioRpcError):
            await served.Ask(request(f"among-{row.turn}"), timeout=DEADLINE_S)
        await asyncio.sleep(0.1)

        row.at_most("R1", "tasks left behind", len(asyncio.all_tasks()) - before, 0)
