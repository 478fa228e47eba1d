"""The process behind tests/fault/stubs.py: reads HTTP requests, and breaks what HTTP promises.

`python -m tests.fault.stub_server 0` prints its base address and serves until
it is killed.
"""

import asyncio
import json
import logging
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.fault.stubs import MODES, Event, Mode
from tests.payloads import payload
from tests.streams import pieces

REASONS = {200: "OK", 429: "Too Many Requests", 500: "Internal Server Error"}
RESET = struct.pack("ii", 1, 0)
"""Linger of zero: closing sends RST."""


class Book:
    """What is to be done, and what was seen."""

    def __init__(self) -> None:
        self.modes: dict[str, Mode] = dict(MODES)
        self.nth: Counter[str] = Counter()
        """Calls by model since its mode was set."""
        self.running: Counter[str] = Counter()
        self.connections: set[Connection] = set()
        self.reset()

    def reset(self) -> None:
        self.arrivals: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.most_running: Counter[str] = Counter(self.running)
        self.events: list[Event] = []

    def arrived(self, model: str) -> Mode:
        self.arrivals[model] += 1
        self.running[model] += 1
        self.most_running[model] = max(self.most_running[model], self.running[model])
        self._note("arrived", model)
        nth = self.nth[model]
        self.nth[model] += 1
        return self.modes.get(model, Mode()).at_call(nth)

    def ended(self, model: str, *, left: bool) -> None:
        self.running[model] -= 1
        self.left[model] += left
        self._note("left" if left else "answered", model)

    def told(self, asking: "Connection") -> dict[str, Any]:
        return {
            "arrivals": self.arrivals,
            "running": {model: n for model, n in self.running.items() if n},
            "most_running": self.most_running,
            "left": {model: n for model, n in self.left.items() if n},
            "open_sockets": len(self.connections - {asking}),
            "events": [(each.at, each.what, each.model) for each in self.events],
        }

    def set_modes(self, modes: Mapping[str, Mapping[str, Any]]) -> None:
        for model, mode in modes.items():
            self.modes[model] = Mode(**mode)
            self.nth[model] = 0

    def _note(self, what: str, model: str) -> None:
        self.events.append(Event(time.monotonic(), what, model))


class Connection(asyncio.Protocol):
    """One connection; its requests are served one after the other."""

    transport: asyncio.Transport

    def __init__(self, book: Book) -> None:
        self.book = book
        self.buffer = b""
        self.serving: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.book.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.book.connections.discard(self)
        if self.serving is not None:
            self.serving.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.serving is None:
            self._next()

    def _next(self) -> None:
        self.serving = None
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        length = _length(head)
        if not found or len(rest) < length or self.transport.is_closing():
            return
        self.buffer = rest[length:]
        self.serving = asyncio.ensure_future(self._serve(_path(head), json.loads(rest[:length])))

    async def _serve(self, path: str, body: Mapping[str, Any]) -> None:
        if path.startswith("/stub/"):
            self._controlled(path, body)
        else:
            await self._called(path, body)
        self._next()

    def _controlled(self, path: str, body: Mapping[str, Any]) -> None:
        told: Any = {}
        if path.endswith("/modes"):
            self.book.set_modes(body)
        elif path.endswith("/reset"):
            self.book.reset()
        else:
            told = self.book.told(self)
        self._send(json.dumps(told).encode(), Mode())

    async def _called(self, path: str, body: Mapping[str, Any]) -> None:
        model = str(body.get("model") or path.rpartition("/")[2].partition(":")[0])
        mode = self.book.arrived(model)
        left = False
        try:
            await self._misbehave(mode, path, {"model": model, **body})
        except asyncio.CancelledError:
            left = True
            raise
        finally:
            self.book.ended(model, left=left)

    async def _misbehave(self, mode: Mode, path: str, body: Mapping[str, Any]) -> None:
        if mode.delay_s:
            await asyncio.sleep(mode.delay_s)
        whole = payload(path, str(body["model"]), mode, body)
        streams = body.get("stream") is True or ":streamGenerateContent" in path
        if mode.kind == "answer" and mode.status == 200 and streams:
            await self._stream(mode, path, whole, body, cut_after=None)
        elif mode.kind == "cut" and streams:
            await self._stream(mode, path, whole, body, cut_after=mode.cut_after)
        else:
            await self._reply(mode, json.dumps(whole).encode())

    async def _reply(self, mode: Mode, content: bytes) -> None:
        head = _head(mode, len(content))
        match mode.kind:
            case "hang":
                await asyncio.Event().wait()
            case "silent":
                self.transport.write(head)
                await asyncio.Event().wait()
            case "drip":
                await self._drip(head + content, mode)
            case "drip_body":
                self.transport.write(head)
                await self._drip(content, mode)
            case "reset":
                self._break()
            case "reset_after_headers":
                await self._write_then_break(head)
            case "cut":
                await self._write_then_break(head + content[: len(content) // 2])
            case _:
                self._send(content, mode)

    async def _stream(
        self,
        mode: Mode,
        path: str,
        whole: Mapping[str, Any],
        body: Mapping[str, Any],
        *,
        cut_after: int | None,
    ) -> None:
        self.transport.write(_head(mode, None))
        sent = 0
        for event, is_token in pieces(path, whole, body):
            if is_token:
                if sent == cut_after:
                    return await self._write_then_break(b"")
                if mode.token_delay_s:
                    await asyncio.sleep(mode.token_delay_s)
                sent += 1
            self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.transport.write(b"0\r\n\r\n")
        return None

    async def _drip(self, content: bytes, mode: Mode) -> None:
        for nth in range(len(content)):
            self.transport.write(content[nth : nth + 1])
            await asyncio.sleep(mode.drip_s)

    async def _write_then_break(self, content: bytes) -> None:
        self.transport.write(content)
        await asyncio.sleep(0.02)  # else what was sent before is lost with the connection
        self._break()

    def _break(self) -> None:
        """Close with RST."""
        held = self.transport.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.serving = None
        self.transport.abort()

    def _send(self, content: bytes, mode: Mode) -> None:
        self.transport.write(_head(mode, len(content)) + content)


def _head(mode: Mode, length: int | None) -> bytes:
    if length is None:
        form = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked"
    else:
        form = f"Content-Type: application/json\r\nContent-Length: {length}"
    more = "".join(f"{name}: {value}\r\n" for name, value in mode.headers.items())
    reason = REASONS.get(mode.status, "Scripted")
    return f"HTTP/1.1 {mode.status} {reason}\r\n{form}\r\n{more}\r\n".encode()


def _path(head: bytes) -> str:
    return head.split(b" ", 2)[1].decode()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def main(port: int, tell: Callable[[str], None]) -> None:
    book = Book()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(book), "127.0.0.1", port, backlog=1024)
    tell(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    forever: Awaitable[bool] = asyncio.Event().wait()
    await forever


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of clients that left
    asyncio.run(main(int(sys.argv[1]), lambda line: print(line, flush=True)))  # noqa: T201
