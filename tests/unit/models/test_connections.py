"""A stream's connection is used again when the stream was read to its end, and closed when not."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.models.endpoint import Endpoint, open_session
from tests.upstream import Reply, upstream

PATH = "/chat/completions"
SENTENCE = "The capital of France is Paris, of course."
CLOSED_WITHIN_S = 0.2
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n%b\r\n"
LAST_CALL = b"Connection: close\r\n"
END = b"0\r\n\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


ONE = chunk(b'data: {"n": 1}\n\n')
LAST = chunk(b"data: [DONE]\n\n")


class Sockets:
    """A server that says what it is told to, whole, and sees when its sockets are closed."""

    def __init__(self, said, headers):
        self.said = said
        self.headers = headers
        self.pause_s = 0.0
        """Time between the last event and the end of a stream."""
        self.opened = 0
        self.left = 0
        """Sockets that the server closed because its client asked for it."""
        self.closed_at = asyncio.Queue()

    async def serve(self, reader, writer):
        self.opened += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(len(b'{"stream":true}'))
                last = LAST_CALL if LAST_CALL in head else b""
                writer.write(HEAD % (self.headers + last) + self.said.removesuffix(END))
                await asyncio.sleep(self.pause_s)
                writer.write(END if self.said.endswith(END) else b"")
                if last and self.said.endswith(END):
                    break
            self.left += 1
        except asyncio.IncompleteReadError:
            self.closed_at.put_nowait(time.monotonic())
        finally:
            writer.close()

    async def closed(self):
        return await asyncio.wait_for(self.closed_at.get(), 5)


@asynccontextmanager
async def sockets(*said, headers=b""):
    """The server, and a function that streams from it and gives what came."""
    server = Sockets(b"".join(said), headers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening, open_session() as session:
        endpoint = Endpoint(session, address, headers={})

        async def stream(*, left_s=5.0, take=None):
            came = []
            await endpoint.stream(
                PATH, {"stream": True}, deadline=Deadline.after(left_s), take=take or came.append
            )
            return came

        yield server, stream


@pytest.mark.parametrize("said", [(ONE, LAST, END), (ONE, END)], ids=["with a mark", "without"])
async def test_streams_that_end_share_a_connection(said):
    async with sockets(*said) as (server, stream):
        came = [await stream() for _ in range(5)]

        assert [[{"n": 1}]] * 5 == came
        assert (2, 1) == (server.opened, server.left)  # the first told who the server is
        assert server.closed_at.empty()


async def test_an_end_that_comes_a_little_later_is_waited_for():
    async with sockets(ONE, LAST, END) as (server, stream):
        server.pause_s = 0.01
        for _ in range(3):
            await stream()

        assert (2, 1) == (server.opened, server.left)


async def test_streams_and_calls_share_a_connection():
    async with upstream({"m": Reply(SENTENCE)}) as server, open_session() as session:
        endpoint = Endpoint(session, server.url, headers={})
        for _ in range(3):
            limits = {"deadline": Deadline.after(5)}
            await endpoint.post(PATH, {"model": "m"}, **limits)
            await endpoint.stream(
                PATH, {"model": "m", "stream": True}, take=lambda _: None, **limits
            )

    assert (6, 1) == (server.calls, server.connections)


async def test_a_server_known_to_close_is_not_waited_for():
    async with sockets(ONE, LAST, END, headers=b"Server: llama.cpp\r\n") as (server, stream):
        for _ in range(3):
            await stream()

        assert (3, 3) == (server.opened, server.left)


async def test_a_stream_that_goes_on_after_its_last_event_costs_its_connection_alone():
    async with sockets(ONE, LAST) as (server, stream):
        began = time.monotonic()
        came = await stream()
        ended = time.monotonic()

        assert [{"n": 1}] == came
        assert ended - began < 1.0
        assert await server.closed() - ended < CLOSED_WITHIN_S
        await stream()
        assert 2 == server.opened
        await stream()
        assert 3 == server.opened


async def test_a_cancelled_stream_closes_its_socket_at_once():
    async with sockets(ONE, END) as (server, stream):
        await stream()
        server.said = ONE
        first = asyncio.Event()
        pending = asyncio.create_task(stream(take=lambda _: first.set()))
        await asyncio.wait_for(first.wait(), 5)
        cancelled_at = time.monotonic()
        pending.cancel()

        assert await server.closed() - cancelled_at < CLOSED_WITHIN_S
        with pytest.raises(asyncio.CancelledError):
            await pending


async def test_a_late_stream_closes_its_socket_at_once():
    async with sockets(ONE) as (server, stream):
        with pytest.raises(TimeoutError):
            await stream(left_s=0.2)
        late_at = time.monotonic()

        assert await server.closed() - late_at < CLOSED_WITHIN_S


async def test_a_stream_that_is_not_understood_closes_its_socket():
    async with sockets(chunk(b"data: {nope\n\n")) as (server, stream):
        with pytest.raises(BackendError):
            await stream()

        await server.closed()
