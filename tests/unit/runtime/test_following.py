"""Following a stream keeps the promises of a call, over gRPC and in this process."""

import asyncio

import pytest

from gremium.v1 import jury_pb2, jury_pb2_grpc
from services.core.deadline import Deadline
from services.core.errors import (
    DeadlineSpentError,
    InternalError,
    PeerError,
    QuorumNotReachedError,
)
from services.runtime.calls import follow
from services.runtime.channels import open_channel
from services.runtime.local import follow_local
from tests.unit.runtime.serving import JURY, Jury, served

LIMIT_S = 5
METHOD = f"/{JURY}/DeliberateStream"


def asked(tier):
    return jury_pb2.DeliberateStreamRequest(deliberation=jury_pb2.DeliberateRequest(tier=tier))


@pytest.fixture
def jury():
    return Jury()


@pytest.fixture(params=["grpc", "local"])
async def put(request, jury):
    """Follow a stream that ends as a tier's name says."""
    if request.param == "local":

        async def local(tier, tell, *, left_s=LIMIT_S):
            limit = Deadline.after(left_s)
            handler = jury.DeliberateStream
            await follow_local(handler, asked(tier), deadline=limit, method=METHOD, tell=tell)

        yield local
        return

    async with served(jury=jury) as channel:
        rpc = jury_pb2_grpc.JuryServiceStub(channel).DeliberateStream

        async def remote(tier, tell, *, left_s=LIMIT_S):
            await follow(rpc, asked(tier), deadline=Deadline.after(left_s), tell=tell)

        yield remote


async def test_each_message_is_told(put):
    told = []
    await put("fine", told.append)

    assert ["a"] == [event.started.juror for event in told]


@pytest.mark.parametrize(
    ("tier", "error"), [("quorum", QuorumNotReachedError), ("bug", InternalError)]
)
async def test_an_error_comes_after_what_was_told(put, tier, error):
    told = []
    with pytest.raises(error) as caught:
        await put(tier, told.append)

    assert 1 == len(told)
    assert "secret" not in str(caught.value)


async def test_a_spent_deadline_starts_nothing(put):
    told = []
    with pytest.raises(DeadlineSpentError):
        await put("fine", told.append, left_s=0)

    assert [] == told


async def test_a_stream_that_hangs_costs_the_deadline_and_is_stopped(put, jury):
    with pytest.raises(DeadlineSpentError):
        await put("hang", lambda _: None, left_s=0.3)

    await asyncio.wait_for(jury.cancelled.wait(), LIMIT_S)


async def test_leaving_stops_the_callee(put, jury):
    first = asyncio.Event()
    pending = asyncio.create_task(put("hang", lambda _: first.set()))
    await asyncio.wait_for(first.wait(), LIMIT_S)
    pending.cancel()
    await asyncio.wait([pending], timeout=LIMIT_S)

    assert pending.cancelled()
    await asyncio.wait_for(jury.cancelled.wait(), LIMIT_S)


async def test_a_listener_that_fails_stops_the_callee(put, jury):
    def fail(event):
        if event.HasField("delta"):
            raise InternalError("full")

    with pytest.raises(InternalError, match="full"):
        await put("flood", fail)

    await asyncio.wait_for(jury.cancelled.wait(), LIMIT_S)


async def test_a_service_that_is_not_there_is_a_peers_error():
    async with open_channel("127.0.0.1:1") as channel:
        rpc = jury_pb2_grpc.JuryServiceStub(channel).DeliberateStream
        with pytest.raises(PeerError):
            await follow(rpc, asked("fine"), deadline=Deadline.after(LIMIT_S), tell=lambda _: None)
