"""Lets a Prometheus read the figures of a process: `GET /metrics` on a port of its own.

A server of a few lines: it gives one page to few readers, and the package that
could do it takes a fifth of a second to load.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

MOST_HEAD_BYTES: Final = 16 * 1024
"""Longest request line with its headers."""
PATIENCE_S: Final = 5.0
"""Longest wait for a reader to ask, and to take the page."""
END_OF_HEAD: Final = b"\r\n\r\n"

Page = Callable[[str], tuple[bytes, str]]
"""Takes a header `Accept`, and returns the page and its content type."""


@asynccontextmanager
async def scraped(bind: str) -> AsyncIterator[int]:
    """Give the figures on `host:port` until the block ends; yields the bound port.

    Where `bind` is empty nobody is given anything, and the port is 0.

    Raises
    ------
    OSError
        If the address cannot be bound; it names the address.
    """
    if not bind:
        yield 0
        return
    from services.runtime.exposition import page  # noqa: PLC0415 - slow to import, not always needed

    server = await _listening(bind, page)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def _listening(bind: str, page: Page) -> asyncio.Server:
    host, _, port = bind.rpartition(":")
    try:
        return await asyncio.start_server(
            partial(_serve, page), host.strip("[]"), int(port), limit=MOST_HEAD_BYTES
        )
    except (OSError, ValueError) as err:
        raise OSError(f"cannot give metrics on {bind}: is it host:port, and not in use?") from err


async def _serve(page: Page, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request. A reader that asks for too much, too slowly or leaves gets nothing."""
    try:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(PATIENCE_S):
                head = (await reader.readuntil(END_OF_HEAD)).decode("latin-1")
                writer.write(await _answer(head, page))
                await writer.drain()
    finally:
        writer.close()


async def _answer(head: str, page: Page) -> bytes:
    asked, *lines = head.split("\r\n")
    method, _, rest = asked.partition(" ")
    if rest.partition(" ")[0].partition("?")[0] != "/metrics":
        return _reply("404 Not Found", b"the figures are at /metrics\n")
    if method != "GET":
        return _reply("405 Method Not Allowed", b"GET is allowed\n", "Allow: GET\r\n")
    body, content_type = await asyncio.to_thread(page, _header("accept", lines))
    return _reply("200 OK", body, f"Content-Type: {content_type}\r\n")


def _header(name: str, lines: list[str]) -> str:
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip().lower() == name), "")


def _reply(status: str, body: bytes, headers: str = "Content-Type: text/plain\r\n") -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
