"""The console lives and ends with its gateway, and takes nothing from requests meanwhile."""

import asyncio
import socket
import time

import aiohttp

from services.gateway.console import bounded
from services.gateway.console.bounded import CONNECTIONS
from tests.console.consoles import running

PAGES = ("/", "/divergence", "/routing", "/roster", "/config")


async def test_requests_go_on_while_pages_are_made(tmp_path):
    done = asyncio.Event()

    async def looking(browser):
        while not done.is_set():
            pages = await asyncio.gather(*(browser.get(path) for path in PAGES))
            assert {200} == {page.status for page in pages}

    async with running(tmp_path) as console, aiohttp.ClientSession(console.url) as browser:
        looks = asyncio.create_task(looking(browser))
        took = []
        for _ in range(10):
            began = time.monotonic()
            await console.ask("2 + 2?")
            took.append(time.monotonic() - began)
        done.set()
        await looks

    assert 2.0 > sorted(took)[5]


async def test_pages_that_follow_end_with_the_gateway(tmp_path):
    async with aiohttp.ClientSession() as browser:
        async with running(tmp_path) as console:
            stream = await browser.get(f"{console.url}/live/events")
            assert b"retry" in await stream.content.readline()
            began = time.monotonic()
        took = time.monotonic() - began
        stream.close()

    assert 4.0 > took


async def test_connections_beyond_a_number_are_closed_and_requests_go_on(tmp_path):
    async with running(tmp_path) as console:
        port = console.console.port
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS + 3)]
        async with asyncio.timeout(5.0):
            ends = [await ended(reader) for reader, _ in opened[CONNECTIONS:]]
        reply = await console.ask("2 + 2?")
        for _, writer in opened:
            writer.close()

    assert ([True] * 3, "yes") == (ends, reply.answer.text)


async def ended(reader):
    """Whether the other side closed the connection without a word."""
    try:
        return b"" == await reader.read(1)
    except ConnectionResetError:
        return True


async def test_a_connection_over_which_no_request_comes_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "HEAD_S", 0.3)
    async with running(tmp_path) as console:
        reader, writer = await asyncio.open_connection("127.0.0.1", console.console.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: loc")
        async with asyncio.timeout(5.0):
            assert await ended(reader)
        writer.close()


async def test_a_gateway_whose_console_cannot_listen_answers_all_the_same(tmp_path, caplog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with running(tmp_path, address=address) as console:
            reply = await console.ask("2 + 2?")

    assert "yes" == reply.answer.text
    assert "no console: cannot listen" in caplog.text
