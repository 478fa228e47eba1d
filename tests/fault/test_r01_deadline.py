"""R1: no hop outlives the caller's deadline, and nothing of a request is left behind it."""

import asyncio
import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from services.config.load import load
from tests.fault.five import config, jury, model, request
from tests.fault.stubs import Mode, stub
from tests.mesh.meshes import gateway as served_gateway
from tests.mesh.meshes import grpc_mesh
from tests.running import mesh_running

DEADLINE_S = 2.0
HOUR = Mode(delay_s=3600.0)


def juries(url):
    hour, four = model("hour", url), model("four", url)
    alone = jury({"hour": hour}, "alone", quorum=1)
    among = jury({"a": four, "b": four, "hour": hour}, "among", quorum=3)
    return config([alone, among], url)


@pytest.fixture(scope="module")
def provider():
    with stub({"hour": HOUR}) as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, provider):
    folder = tmp_path_factory.mktemp("r01")
    with (
        mesh_running(folder, juries(provider.url)) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


@pytest.mark.parametrize("ensemble", ["alone", "among"])
def test_a_juror_that_sleeps_an_hour_costs_no_more_than_the_deadline(
    row, gateway, provider, ensemble
):
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        gateway.Ask(request(f"{ensemble}-{row.turn}"), timeout=DEADLINE_S)
    took_s = time.monotonic() - began

    assert caught.value.code().name in {"DEADLINE_EXCEEDED", "ABORTED"}
    row.at_most("R1", "answer after the deadline by", took_s - DEADLINE_S, 0.05, unit="s")
    seen = provider.until(lambda seen: not seen.underway, within_s=1.0)
    left = [event.at for event in seen.events if event.what == "left"]
    row.at_most(
        "R1", "socket left after the deadline by", left[-1] - began - DEADLINE_S, 0.05, unit="s"
    )


async def test_no_task_is_left(row, provider, tmp_path):
    path = tmp_path / "gremium.yaml"
    path.write_text(juries(provider.url))
    loaded = load(path)
    async with grpc_mesh(loaded, ()) as mesh, served_gateway(loaded, mesh) as served:
        await served.Ask(request(), timeout=DEADLINE_S)
        await asyncio.sleep(0.1)  # the call's own tasks end after its reply
        before = len(asyncio.all_tasks())
        with pytest.raises(grpc.aio.AioRpcError):
            await served.Ask(request(f"among-{row.turn}"), timeout=DEADLINE_S)
        await asyncio.sleep(0.1)

        row.at_most("R1", "tasks left behind", len(asyncio.all_tasks()) - before, 0)
