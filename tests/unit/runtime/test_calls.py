"""What a caller and its callee can rely on: time, errors, cancellation."""

import asyncio
import logging

import grpc
import pytest

from gremium.v1 import router_pb2
from services.core.deadline import Deadline
from services.core.errors import (
    DeadlineSpentError,
    InternalError,
    InvalidRequestError,
    PeerError,
    QuorumNotReachedError,
)
from services.runtime.calls import call
from services.runtime.channels import open_channel
from tests.unit.runtime.serving import (
    ROUTER,
    Router,
    info,
    reason,
    route,
    served,
    stub,
)

LIMIT_S = 10


async def test_a_callee_gets_less_time_than_its_caller_had():
    async with served() as channel:
        reply = await call(stub(channel).Route, route(), deadline=Deadline.after(2))

    assert 0 < float(reply.decision.reason_text) < 2 * 0.96


@pytest.mark.parametrize("timeout_s", [0.5, 1.001, 9.991, 10.01, 99.91, 100.01, 900.1])
async def test_a_callee_keeps_time_to_reply_though_grpc_rounds_up(timeout_s):
    async with served() as channel:
        reply = await stub(channel).Route(route(), timeout=timeout_s)

    assert float(reply.decision.reason_text) < timeout_s - min(1, 0.05 * timeout_s)


async def test_a_callee_answers_before_its_caller_gives_up():
    async with served() as inner, served(Router(next_hop=stub(inner))) as outer:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(outer).Route(route("forward"), timeout=1)

    assert "DEADLINE_SPENT" == reason(caught.value)


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


async def test_an_error_of_ours_arrives_as_it_was_raised():
    async with served() as channel:
        with pytest.raises(QuorumNotReachedError, match="1 of 2 needed jurors") as caught:
            await call(stub(channel).Route, route("quorum"), deadline=Deadline.after(5))

    assert {"answered": "1", "quorum": "2"} == caught.value.metadata


async def test_the_largest_error_arrives_whole():
    async with served() as channel:
        for _ in range(20):
            with pytest.raises(InvalidRequestError) as caught:
                await call(stub(channel).Route, route("verbose"), deadline=Deadline.after(5))

            assert "🦜" in str(caught.value)
            assert "request_id" in caught.value.metadata


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

    assert ("INTERNAL", "gremium.v1") == (info(caught.value).reason, info(caught.value).domain)


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
    assert "UNIMPLEMENTED" == reason(caught.value)


async def test_an_unknown_method_says_so():
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{ROUTER}/Nothing")(b"", timeout=5)

    assert grpc.StatusCode.UNIMPLEMENTED is caught.value.code()


async def test_a_request_over_the_limit_is_the_callers_mistake():
    async with served(max_message_bytes=2048) as channel:
        with pytest.raises(InvalidRequestError, match="larger than max"):
            await call(stub(channel).Route, route("x" * 4096), deadline=Deadline.after(5))


async def test_a_reply_over_the_limit_is_the_services_fault():
    async with served(max_message_bytes=2048) as channel:
        with pytest.raises(InternalError, match="larger than max"):
            await call(stub(channel).Route, route("large"), deadline=Deadline.after(5))


async def test_a_peer_that_is_not_there_is_unavailable():
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(PeerError):
            await call(stub(channel).Route, route(), deadline=Deadline.after(3))
