"""A caller who leaves stops its callee, and takes no memory along."""

import asyncio
import gc
from contextlib import suppress

import grpc
import psutil
import pytest

from services.runtime.leaving import leaving

METHOD, STREAM = "/test.Sleep/Once", "/test.Sleep/Often"
CALLS = 4000
TRIES = 4
MOST_BYTES = 700
"""Of client and server together, for each call that was left; a dropped batch alone costs 950."""


class Sleeper:
    def __init__(self):
        self.cancelled = asyncio.Event()

    async def sleep(self, request, context):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def sleep_often(self, request, context):
        await context.write(b"first")
        await self.sleep(request, context)


@pytest.fixture
async def sleeper():
    sleeper, server = Sleeper(), grpc.aio.server()
    handlers = {
        "Once": grpc.unary_unary_rpc_method_handler(sleeper.sleep),
        "Often": grpc.unary_stream_rpc_method_handler(sleeper.sleep_often),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Sleep", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.channel_ready()
        sleeper.once, sleeper.often = channel.unary_unary(METHOD), channel.unary_stream(STREAM)
        yield sleeper
    await server.stop(0)


async def left(awaitable, *, after_s=0.05):
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(after_s)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def leave_once(sleeper):
    call = sleeper.once(b"", timeout=60)
    await left(leaving(call, call))
    assert call.done()


async def leave_often(sleeper):
    call, told = sleeper.often(b"", timeout=60), []

    async def read():
        async for message in call:
            told.append(message)  # noqa: PERF401 - a comprehension would lose it when left

    await left(leaving(call, read()), after_s=0.3)
    assert ([b"first"], True) == (told, call.done())


@pytest.mark.parametrize("leave", [leave_once, leave_often])
async def test_whoever_leaves_stops_the_callee(sleeper, leave):
    await leave(sleeper)

    assert await asyncio.wait_for(sleeper.cancelled.wait(), 5.0)


async def test_calls_that_are_left_hold_no_memory(sleeper):
    """A leak shows every time; what the allocator of a busy process takes for good, once."""
    await leave_many(sleeper, CALLS // 4)

    grown = [await growth(sleeper)]
    while grown[-1] >= MOST_BYTES * CALLS and len(grown) < TRIES:
        grown.append(await growth(sleeper))

    assert grown[-1] < MOST_BYTES * CALLS, grown


async def growth(sleeper):
    """Bytes that the process has grown by many calls that are left."""
    before = psutil.Process().memory_info().rss
    await leave_many(sleeper, CALLS)
    return psutil.Process().memory_info().rss - before


async def leave_many(sleeper, count):
    for _ in range(count // 50):
        # A server that is short of time refuses some of so many resets.
        with suppress(grpc.aio.AioRpcError):
            await asyncio.gather(*(leave_once(sleeper) for _ in range(50)))
    await asyncio.sleep(0.2)
    gc.collect()
