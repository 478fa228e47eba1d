"""What every service promises whoever calls it."""

import asyncio
import logging

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from gremium.v1 import jury_pb2, jury_pb2_grpc, router_pb2, router_pb2_grpc
from services.core.deadline import Deadline
from services.core.errors import (
    DeadlineSpentError,
    InternalError,
    InvalidRequestError,
    OverloadedError,
    PeerError,
    QuorumNotReachedError,
)
from services.runtime.calls import call
from services.runtime.channels import open_channel
from services.runtime.server import running
from services.runtime.settings import ServerSettings
from tests.unit.runtime.serving import JURY, ROUTER, Jury, Router, route, served

LIMIT_S = 10


def stub(channel):
    return router_pb2_grpc.RouterServiceStub(channel)


async def test_a_callee_gets_less_time_than_its_caller_had():
    async with served() as channel:
        reply = await call(stub(channel).Route, route(), deadline=Deadline.after(2))

    assert 0 < float(reply.decision.reason_text) < 2 * 0.96


async def test_a_call_without_a_deadline_is_refused():
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(channel).Route(route())

    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
    assert "deadline" in caught.value.details()


async def test_a_spent_deadline_fails_before_anything_is_sent():
    router = Router()
    async with served(router) as channel:
        with pytest.raises(DeadlineSpentError):
            await call(stub(channel).Route, route(), deadline=Deadline.after(0))

    assert not router.started.is_set()


async def test_a_hung_callee_costs_the_deadline_and_no_more():
    async with served() as channel:
        async with asyncio.timeout(LIMIT_S):
            with pytest.raises(DeadlineSpentError):
                await call(stub(channel).Route, route("hang"), deadline=Deadline.after(0.3))


async def test_an_error_of_ours_arrives_as_it_was_raised():
    async with served() as channel:
        with pytest.raises(QuorumNotReachedError, match="1 of 2 needed jurors") as caught:
            await call(stub(channel).Route, route("quorum"), deadline=Deadline.after(5))

    assert {"answered": "1", "quorum": "2"} == caught.value.metadata


async def test_a_bug_reaches_the_log_and_not_the_caller(caplog):
    async with served() as channel:
        with caplog.at_level(logging.ERROR), pytest.raises(InternalError) as caught:
            await call(stub(channel).Route, route("bug"), deadline=Deadline.after(5))

    assert "internal error" == str(caught.value)
    assert "secret detail" in caplog.text


async def test_every_error_carries_its_reason_and_domain():
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(channel).Route(route("bug"), timeout=5)
    [info] = rpc_status.from_call(SyncView(caught.value)).details

    assert b"INTERNAL" in info.value
    assert b"gremium.v1" in info.value


class SyncView:
    """An aio error as grpc_status wants calls: with `trailing_metadata()` a plain tuple."""

    def __init__(self, err):
        self._err = err

    def code(self):
        return self._err.code()

    def details(self):
        return self._err.details()

    def trailing_metadata(self):
        return tuple(grpc_metadata(*pair) for pair in self._err.trailing_metadata())


def grpc_metadata(key, value):
    return type("Pair", (tuple,), {"key": key, "value": value})((key, value))


async def test_bytes_that_are_no_message_are_the_callers_mistake():
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{ROUTER}/Route")(b"\xff\xff\xff", timeout=5)

    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
    assert "the bytes sent are no RouteRequest" == caught.value.details()


async def test_a_method_without_an_implementation_says_so():
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(channel).Plan(router_pb2.PlanRequest(), timeout=5)

    assert grpc.StatusCode.UNIMPLEMENTED is caught.value.code()


async def test_an_unknown_method_says_so():
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{ROUTER}/Nothing")(b"", timeout=5)

    assert grpc.StatusCode.UNIMPLEMENTED is caught.value.code()


async def test_leaving_a_call_stops_its_handler():
    router = Router()
    async with served(router) as channel:
        pending = asyncio.ensure_future(
            call(stub(channel).Route, route("hang"), deadline=Deadline.after(30))
        )
        await asyncio.wait_for(router.started.wait(), LIMIT_S)
        pending.cancel()

        await asyncio.wait_for(router.cancelled.wait(), LIMIT_S)


async def test_leaving_a_call_stops_the_calls_below_it():
    inner = Router()
    async with served(inner) as channel:
        outer = Router(next_hop=stub(channel))
        async with served(outer) as front:
            pending = asyncio.ensure_future(
                call(stub(front).Route, route("forward"), deadline=Deadline.after(30))
            )
            await asyncio.wait_for(inner.started.wait(), LIMIT_S)
            pending.cancel()

            await asyncio.wait_for(inner.cancelled.wait(), LIMIT_S)


async def test_more_calls_than_slots_are_refused_with_a_reason():
    router = Router()
    async with served(router, max_concurrent=1) as channel:
        first = asyncio.ensure_future(
            call(stub(channel).Route, route("wait"), deadline=Deadline.after(LIMIT_S))
        )
        await asyncio.wait_for(router.started.wait(), LIMIT_S)

        with pytest.raises(OverloadedError, match="at most 1 are allowed"):
            await call(stub(channel).Route, route(), deadline=Deadline.after(5))

        router.release.set()
        await first


async def test_a_slot_is_free_again_after_an_error():
    async with served(max_concurrent=1) as channel:
        for _ in range(3):
            with pytest.raises(QuorumNotReachedError):
                await call(stub(channel).Route, route("quorum"), deadline=Deadline.after(5))


async def test_health_answers_for_every_service_under_load():
    router = Router()
    async with served(router, max_concurrent=1) as channel:
        first = asyncio.ensure_future(
            call(stub(channel).Route, route("wait"), deadline=Deadline.after(LIMIT_S))
        )
        await asyncio.wait_for(router.started.wait(), LIMIT_S)
        health = health_pb2_grpc.HealthStub(channel)
        states = [
            (await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)).status
            for name in ("", ROUTER, JURY)
        ]
        router.release.set()
        await first

    assert [health_pb2.HealthCheckResponse.SERVING] * 3 == states


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


async def test_a_peer_that_is_not_there_is_unavailable():
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(PeerError):
            await call(stub(channel).Route, route(), deadline=Deadline.after(3))


async def test_a_request_over_the_limit_is_the_callers_mistake():
    async with served(max_message_bytes=2048) as channel:
        with pytest.raises(InvalidRequestError, match="larger than max"):
            await call(stub(channel).Route, route("x" * 4096), deadline=Deadline.after(5))


async def test_a_reply_over_the_limit_is_the_services_fault():
    async with served(max_message_bytes=2048) as channel:
        with pytest.raises(InternalError, match="larger than max"):
            await call(stub(channel).Route, route("large"), deadline=Deadline.after(5))


async def events(channel, tier):
    request = jury_pb2.DeliberateStreamRequest(deliberation=jury_pb2.DeliberateRequest(tier=tier))
    return [
        event
        async for event in jury_pb2_grpc.JuryServiceStub(channel).DeliberateStream(
            request, timeout=5
        )
    ]


async def test_a_stream_ends_as_its_handler_does():
    async with served() as channel:
        assert 1 == len(await events(channel, "fine"))


@pytest.mark.parametrize(
    ("tier", "code", "text"),
    [
        ("quorum", grpc.StatusCode.ABORTED, "1 of 2 needed jurors answered in time"),
        ("bug", grpc.StatusCode.INTERNAL, "internal error"),
    ],
)
async def test_a_stream_fails_as_a_call_does(tier, code, text):
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await events(channel, tier)

    assert (code, text) == (caught.value.code(), caught.value.details())


async def test_leaving_a_stream_stops_its_handler():
    jury = Jury()
    async with served(jury=jury) as channel:
        stream = jury_pb2_grpc.JuryServiceStub(channel).DeliberateStream(
            jury_pb2.DeliberateStreamRequest(deliberation=jury_pb2.DeliberateRequest(tier="hang")),
            timeout=30,
        )
        await stream.read()
        stream.cancel()

        await asyncio.wait_for(jury.cancelled.wait(), LIMIT_S)
