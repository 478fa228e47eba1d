"""A service binds its port or says why not, and drains before it ends."""

import asyncio
import logging
import signal
import socket
import time
from functools import partial

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gremium.v1 import router_pb2_grpc
from services.core.deadline import Deadline
from services.runtime import server
from services.runtime.calls import call
from services.runtime.channels import open_channel
from services.runtime.server import running
from services.runtime.settings import ServerSettings
from tests.running import free_port
from tests.unit.runtime.processes import log, serving, started
from tests.unit.runtime.serving import ROUTER, Router, route, stub

LIMIT_S = 10


async def test_a_draining_server_says_so_before_it_ends():
    server = running(ServerSettings(drain_s=1), lambda _: None, services=[ROUTER])
    port = await server.__aenter__()
    async with open_channel(f"127.0.0.1:{port}") as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=ROUTER), timeout=LIMIT_S
        )
        first = await watch.read()
        stopping = asyncio.ensure_future(server.__aexit__(None, None, None))
        second = await watch.read()
        await stopping

    serving = health_pb2.HealthCheckResponse
    assert [serving.SERVING, serving.NOT_SERVING] == [first.status, second.status]


async def test_trouble_is_the_health_of_the_whole_and_each_service_still_takes_calls(
    monkeypatch, caplog
):
    monkeypatch.setattr(server, "LOOK_S", 0.01)
    caplog.set_level(logging.INFO, "services.runtime")
    trouble, serving = ["the disk is full"], health_pb2.HealthCheckResponse
    register = partial(router_pb2_grpc.add_RouterServiceServicer_to_server, Router())
    settings, whose = ServerSettings(), health_pb2.HealthCheckRequest
    async with (
        running(settings, register, services=[ROUTER], trouble=lambda: trouble[0]) as port,
        open_channel(f"127.0.0.1:{port}", service=ROUTER) as channel,
    ):
        watch = health_pb2_grpc.HealthStub(channel).Watch(whose(), timeout=LIMIT_S)
        while (await watch.read()).status == serving.SERVING:
            pass
        assert (await stub(channel).Route(route("now"), timeout=LIMIT_S)).decision.reason_text
        trouble[0] = ""

        assert serving.SERVING == (await watch.read()).status
    messages = [each.getMessage() for each in caplog.records]
    assert ["serving", "not serving: the disk is full", "serving again"] == messages[1:4]


async def test_calls_in_flight_may_finish_while_draining():
    router = Router()
    settings = ServerSettings(drain_s=LIMIT_S)
    server = running(
        settings,
        lambda s: router_pb2_grpc.add_RouterServiceServicer_to_server(router, s),
        services=[ROUTER],
    )
    port = await server.__aenter__()
    async with open_channel(f"127.0.0.1:{port}") as channel:
        pending = asyncio.ensure_future(
            call(stub(channel).Route, route("wait"), deadline=Deadline.after(LIMIT_S))
        )
        await asyncio.wait_for(router.started.wait(), LIMIT_S)
        stopping = asyncio.ensure_future(server.__aexit__(None, None, None))
        await asyncio.sleep(0.1)
        router.release.set()

        assert (await pending).decision.reason_text
        await stopping


async def test_whoever_only_watches_the_health_does_not_hold_up_the_end():
    server = running(ServerSettings(drain_s=LIMIT_S), lambda _: None, services=[ROUTER])
    port = await server.__aenter__()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        began = time.monotonic()
        await server.__aexit__(None, None, None)

    assert time.monotonic() - began < LIMIT_S / 2


async def test_a_port_belongs_to_one_server():
    async with running(ServerSettings(), lambda _: None, services=[]) as port:
        taken = ServerSettings(bind=f"127.0.0.1:{port}")

        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with running(taken, lambda _: None, services=[]):
                pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_service_with_0(number):
    address = f"127.0.0.1:{free_port()}"
    with started(address) as process:
        assert serving(address)
        process.send_signal(number)
        messages = [line["message"] for line in log(process)]

    assert (0, ["listening", "serving", "stopped"]) == (process.returncode, messages)


async def test_a_signal_lets_a_call_in_flight_finish():
    address = f"127.0.0.1:{free_port()}"
    with started(address) as process:
        assert await asyncio.to_thread(serving, address)
        async with open_channel(address) as channel:
            pending = asyncio.ensure_future(stub(channel).Route(route("nap"), timeout=LIMIT_S))
            await asyncio.sleep(0.2)
            process.terminate()

            assert (await pending).decision.reason_text
        await asyncio.to_thread(log, process)

    assert 0 == process.returncode


def test_a_taken_port_ends_a_service_with_a_line_that_names_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with started(address) as process:
            [line] = log(process)

    assert 1 == process.returncode
    assert ("error", "router") == (line["level"], line["service"])
    assert address in line["message"]


def test_a_misspelt_exporter_ends_a_service_with_a_line_that_names_it():
    with started("127.0.0.1:0", OTEL_TRACES_EXPORTER="jaegr") as process:
        [line] = log(process)

    assert 1 == process.returncode
    assert "jaegr" in line["message"]
