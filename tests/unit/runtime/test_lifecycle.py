"""A service binds its port or says why not, and drains before it ends."""

import asyncio

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gremium.v1 import router_pb2_grpc
from services.core.deadline import Deadline
from services.runtime.calls import call
from services.runtime.channels import open_channel
from services.runtime.server import running
from services.runtime.settings import ServerSettings
from tests.unit.runtime.serving import (
    ROUTER,
    Router,
    route,
    stub,
)

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


async def test_a_port_belongs_to_one_server():
    async with running(ServerSettings(), lambda _: None, services=[]) as port:
        taken = ServerSettings(bind=f"127.0.0.1:{port}")

        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with running(taken, lambda _: None, services=[]):
                pass
