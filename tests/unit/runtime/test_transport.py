"""What becomes of a call when the network or the peer misbehaves."""

import asyncio
import statistics
import time
from contextlib import asynccontextmanager
from itertools import pairwise

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from gremium.v1 import router_pb2_grpc
from services.core.deadline import Deadline
from services.core.errors import PeerError, StageLostError
from services.runtime.calls import call
from services.runtime.channels import OPTIONS, open_channel
from services.runtime.server import MIN_PING_INTERVAL_S
from tests.running import free_port
from tests.unit.runtime.relay import relayed
from tests.unit.runtime.serving import ROUTER, Router, listening, route, served

LIMIT_S = 10
PING_MS = 300
PING_OPTIONS = {
    "grpc.keepalive_time_ms",
    "grpc.keepalive_timeout_ms",
    "grpc.http2.ping_timeout_ms",
}
STATES = health_pb2.HealthCheckResponse


async def routed(channel, ensemble="", *, left_s=5.0):
    stub = router_pb2_grpc.RouterServiceStub(channel)
    return await call(stub.Route, route(ensemble), deadline=Deadline.after(left_s))


async def cut_underway(router, ensemble):
    """Break the connection while the handler works."""
    async with (
        listening(router) as port,
        relayed(port) as relay,
        open_channel(relay.address) as channel,
    ):
        pending = asyncio.ensure_future(routed(channel, ensemble))
        await asyncio.wait_for(router.started.wait(), LIMIT_S)
        await asyncio.sleep(0.1)
        relay.cut()
        await asyncio.wait_for(pending, LIMIT_S)


async def test_a_call_that_was_taken_is_never_run_twice():
    router = Router()
    with pytest.raises(StageLostError, match="took the call and broke off"):
        await cut_underway(router, "hang")

    assert 1 == len(router.peers)


async def test_a_broken_connection_stops_the_handler():
    router = Router()
    with pytest.raises(StageLostError):
        await cut_underway(router, "hang")

    await asyncio.wait_for(router.cancelled.wait(), LIMIT_S)


async def test_a_peers_own_missing_peer_is_not_asked_for_again():
    router = Router()
    async with served(router) as channel:
        with pytest.raises(PeerError, match="nobody home"):
            await routed(channel, "peer")

    assert 1 == len(router.peers)


@asynccontextmanager
async def foreign(serve, *, state=STATES.SERVING, options=()):
    """Yields the port of a server that is none of ours and answers `Route` by `serve`."""
    server, checks = grpc.aio.server(options=options), health.aio.HealthServicer()
    handler = grpc.unary_unary_rpc_method_handler(serve)
    server.add_registered_method_handlers(ROUTER, {"Route": handler})
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    await checks.set("", state)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


@asynccontextmanager
async def refusing(refusals):
    """Yields a channel to a server that takes no call before `refusals` are over, and its calls."""
    calls = []

    async def serve(_, context):
        calls.append(context.peer())
        if len(calls) <= refusals:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "starting")
        return b""

    async with foreign(serve) as port, open_channel(f"127.0.0.1:{port}") as channel:
        yield channel, calls


async def test_a_peer_that_did_not_take_the_call_is_asked_again():
    async with refusing(2) as (channel, calls):
        await routed(channel)

    assert 3 == len(calls)


async def test_a_down_peer_is_not_hammered_with_retries():
    async with refusing(10_000) as (channel, calls):
        for _ in range(20):
            with pytest.raises(PeerError):
                await routed(channel)

    assert 20 < len(calls) < 20 + 10


async def test_a_frozen_peer_is_noticed_however_long_it_was_silent():
    hasty = {key: PING_MS if key in PING_OPTIONS else value for key, value in OPTIONS}
    patient = [("grpc.http2.min_ping_interval_without_data_ms", 10)]

    async def hang(*_):
        await asyncio.sleep(60)

    async with (
        foreign(hang, options=patient) as port,
        relayed(port) as relay,
        grpc.aio.insecure_channel(relay.address, options=tuple(hasty.items())) as channel,
    ):
        pending = asyncio.ensure_future(routed(channel, left_s=60))
        await asyncio.sleep(6 * PING_MS / 1000)
        relay.frozen = True

        with pytest.raises(PeerError):
            await asyncio.wait_for(pending, LIMIT_S)


def test_servers_allow_the_pings_that_channels_send():
    assert MIN_PING_INTERVAL_S * 1000 < dict(OPTIONS)["grpc.keepalive_time_ms"]


async def test_a_peer_that_comes_back_is_found_within_seconds():
    port = free_port()
    async with open_channel(f"127.0.0.1:{port}") as channel:
        until = time.monotonic() + 6
        while time.monotonic() < until:
            with pytest.raises(PeerError):
                await routed(channel)
            await asyncio.sleep(0.2)
        async with listening(bind=f"127.0.0.1:{port}"):
            back = time.monotonic()
            await channel_ready(channel)

            assert time.monotonic() - back < 2.7


async def channel_ready(channel):
    async with asyncio.timeout(LIMIT_S):
        await channel.channel_ready()


async def test_a_peer_may_be_slow_to_take_a_connection():
    async with (
        listening() as port,
        relayed(port, delay_s=0.6) as relay,
        open_channel(relay.address) as channel,
    ):
        assert (await routed(channel)).decision.reason_text


async def test_calls_go_round_all_healthy_replicas():
    first, second = Router(), Router()
    async with (
        listening(first) as one,
        listening(second) as two,
        open_channel(f"ipv4:127.0.0.1:{one},127.0.0.1:{two}") as channel,
    ):
        await until_both(channel, first, second)
        for router in (first, second):
            router.peers.clear()
        for _ in range(10):
            await routed(channel)

    assert [5, 5] == [len(first.peers), len(second.peers)]


async def until_both(channel, *routers):
    async with asyncio.timeout(LIMIT_S):
        while not all(router.peers for router in routers):
            await routed(channel)


async def test_channels_to_one_peer_share_no_connection():
    router = Router()
    async with (
        listening(router) as port,
        open_channel(f"127.0.0.1:{port}") as one,
        open_channel(f"127.0.0.1:{port}") as other,
    ):
        await asyncio.gather(routed(one), routed(other))

    assert 2 == len(set(router.peers))


async def test_a_replica_that_is_not_serving_gets_no_calls():
    asked, busy = [], Router()

    async def serve(_, context):
        asked.append(context.peer())
        return b""

    async with (
        foreign(serve, state=STATES.NOT_SERVING) as idle,
        listening(busy) as other,
        open_channel(f"ipv4:127.0.0.1:{idle},127.0.0.1:{other}") as channel,
    ):
        for _ in range(10):
            await routed(channel)
            await asyncio.sleep(0.02)

    assert [0, 10] == [len(asked), len(busy.peers)]


async def test_old_connections_are_replaced_without_losing_a_call():
    router = Router()
    async with served(router, max_connection_age_s=0.3) as channel:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            await routed(channel)
            await asyncio.sleep(0.01)

    assert len(set(router.peers)) > 2


async def test_the_proxy_of_the_environment_is_not_for_the_mesh(monkeypatch):
    for name in ("http_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with served() as channel:
        assert (await routed(channel)).decision.reason_text


async def test_a_server_without_calls_ends_at_once_though_clients_watch_it():
    stopping = None
    async with served(drain_s=LIMIT_S) as channel:
        await routed(channel)
        stopping = time.monotonic()

    assert time.monotonic() - stopping < LIMIT_S / 2


async def test_a_service_that_is_back_is_looked_for_often():
    tried = []

    async def refuse(_, writer):
        tried.append(time.monotonic())
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_channel(address) as channel:
        channel.get_state(try_to_connect=True)
        await asyncio.sleep(3.0)

    pauses = [later - sooner for sooner, later in pairwise(tried)]
    assert pauses
    assert statistics.median(pauses) < 0.35
