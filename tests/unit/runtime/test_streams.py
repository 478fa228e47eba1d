"""A stream keeps every promise that a call keeps."""

import asyncio

import grpc
import pytest

from services.core.deadline import Deadline
from services.runtime.calls import call
from tests.unit.runtime.serving import Jury, followed, route, served, stub

LIMIT_S = 10


async def events(channel, tier):
    return [event async for event in followed(channel, tier)]


async def test_a_stream_ends_as_its_handler_does():
    async with served() as channel:
        assert 1 == len(await events(channel, "fine"))


@pytest.mark.parametrize(
    ("tier", "code", "text"),
    [
        ("quorum", grpc.StatusCode.ABORTED, "1 of 2 needed jurors answered"),
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
        stream = followed(channel, "hang")
        await stream.read()
        stream.cancel()

        await asyncio.wait_for(jury.cancelled.wait(), LIMIT_S)


async def test_leaving_a_stream_that_nobody_reads_frees_its_slot(caplog):
    jury = Jury()
    async with served(jury=jury, max_concurrent=1) as channel:
        stream = followed(channel, "flood")
        await stream.read()
        await asyncio.sleep(0.1)
        stream.cancel()
        await asyncio.wait_for(jury.cancelled.wait(), LIMIT_S)

        assert (await call(stub(channel).Route, route(), deadline=Deadline.after(5))).decision
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
