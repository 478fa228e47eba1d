"""A full service refuses quickly and with a reason, and its health still answers."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.core.deadline import Deadline
from services.core.errors import (
    OverloadedError,
    QuorumNotReachedError,
)
from services.runtime.calls import call
from tests.unit.runtime.serving import (
    JURY,
    ROUTER,
    Router,
    details,
    kind,
    route,
    served,
    stub,
)

LIMIT_S = 10


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


async def test_a_refusal_says_when_to_come_back():
    router = Router()
    async with served(router, max_concurrent=1) as channel:
        first = asyncio.ensure_future(stub(channel).Route(route("wait"), timeout=LIMIT_S))
        await asyncio.wait_for(router.started.wait(), LIMIT_S)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(channel).Route(route(), timeout=5)
        router.release.set()
        await first

    assert ["ErrorInfo", "RetryInfo"] == [kind(detail) for detail in details(caught.value)]


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


async def test_a_burst_is_refused_with_a_reason_and_health_still_answers():
    router = Router()
    async with served(router, max_concurrent=2) as channel:
        burst = [
            asyncio.ensure_future(
                call(stub(channel).Route, route("wait"), deadline=Deadline.after(LIMIT_S))
            )
            for _ in range(500)
        ]
        check = health_pb2_grpc.HealthStub(channel).Check
        states = [await check(health_pb2.HealthCheckRequest(), timeout=5) for _ in range(5)]
        router.release.set()
        ended = await asyncio.gather(*burst, return_exceptions=True)

    assert {health_pb2.HealthCheckResponse.SERVING} == {state.status for state in states}
    assert 2 <= sum(not isinstance(end, Exception) for end in ended)
    assert {"OVERLOADED"} == {end.reason for end in ended if isinstance(end, Exception)}
