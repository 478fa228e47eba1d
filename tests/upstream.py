"""A model provider that answers, or misbehaves, as scripted.

    async with upstream({"slow": Reply(delay_s=2.0)}) as server:
        ...  # server.url, server.calls, server.disconnects

It speaks OpenAI's chat completions and embeddings, Anthropic's Messages and
Gemini's generateContent over real sockets, streamed where that is asked for. Models in MISBEHAVIOUR misbehave by
their name alone. As a program: `python -m tests.upstream --port 8080 --text 4`.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.payloads import payload
from tests.streams import pieces, tokens


@dataclass(frozen=True)
class Reply:
    """What a model does when it is called."""

    text: str = "4"
    delay_s: float = 0.0
    hang: bool = False
    """Never reply."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent as it is, instead of a well-formed reply."""
    cut_off: bool = False
    """Close the connection in the middle of the reply."""
    tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Names and arguments."""
    finish_reason: str | None = None
    """Unset: what fits."""
    reasoning: str = ""
    """Hidden reasoning, sent beside the text."""
    usage: Mapping[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    )
    """In OpenAI's words; None: not sent."""
    served_model: str = ""
    """Unset: the requested one."""
    token_delay_s: float = 0.0
    """Pause before each token of a stream."""
    cut_after: int | None = None
    """Tokens of a stream after which the connection breaks."""
    ends_after: int | None = None
    """Tokens of a stream after which it ends in order, but in the middle of the reply."""


Behaviour = Reply | Sequence[Reply] | Callable[[Mapping[str, Any]], Reply]
Script = Mapping[str, Behaviour]
"""Behaviour by model name. In a sequence each call gets the next, the last one repeats; a
function is given the request's body."""

MISBEHAVIOUR: Script = {
    "hang": Reply(hang=True),
    "slow": Reply(delay_s=1.0),
    "empty": Reply(text=""),
    "whitespace": Reply(text=" \n\t"),
    "http-500": Reply(status=500),
    "http-429": Reply(status=429, headers={"Retry-After": "7"}),
    "http-401": Reply(status=401),
    "invalid-json": Reply(body=b'{"choices": [{"mess'),
    "html": Reply(body=b"<html><body>It works!</body></html>"),
    "no-choices": Reply(body=b'{"choices": []}'),
    "cut-off": Reply(cut_off=True),
    "truncated": Reply(text="The answer is", finish_reason="length"),
    "filtered": Reply(text="", finish_reason="content_filter"),
    "thinking": Reply(text="", reasoning="Let me see", finish_reason="length"),
    "tool-call": Reply(text="", tool_calls=[("get_weather", {"city": "Paris"})]),
    "json": Reply(text='{"answer": 4}'),
}


class Upstream:
    """A running provider, and what it saw."""

    def __init__(self, script: Script, default: Reply) -> None:
        self.script = {**MISBEHAVIOUR, **script}
        self.default = default
        self.url = ""
        """Base address with `/v1`."""
        self.requests: list[Mapping[str, Any]] = []
        """Bodies of all calls, oldest first."""
        self.headers: list[Mapping[str, str]] = []
        """Headers of all calls, oldest first."""
        self.hosts: list[str] = []
        """Addresses that all calls came from, oldest first."""
        self.running = 0
        self.most_running = 0
        """Most calls that ran at once."""
        self._peers: set[str] = set()
        self.disconnects = 0
        """Clients that left before they had their reply."""
        self._turn: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._stopping = False

    @property
    def calls(self) -> int:
        """Calls that arrived."""
        return len(self.requests)

    @property
    def connections(self) -> int:
        """Connections that calls arrived on."""
        return len(self._peers)

    def calls_of(self, model: str) -> int:
        return sum(body.get("model") == model for body in self.requests)

    async def until(self, condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
        """Wait until something was seen, such as `lambda: server.disconnects == 1`."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def stop(self) -> None:
        self._stopping = True

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        model = request.match_info.get("model") or str(body.get("model", ""))
        self.requests.append({"model": model, **body})
        self.headers.append(dict(request.headers))
        self.hosts.append(request.remote or "")
        if request.transport is not None:
            self._peers.add(str(request.transport.get_extra_info("peername")))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self._changed.set()
        try:
            return await self._reply(request, model, body)
        except asyncio.CancelledError:
            self.disconnects += not self._stopping
            raise
        finally:
            self.running -= 1
            self._changed.set()

    async def _reply(
        self, request: web.Request, model: str, body: Mapping[str, Any]
    ) -> web.StreamResponse:
        reply = self._scripted(model, body)
        if reply.hang:
            await asyncio.Event().wait()
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.body is None and reply.status == 200 and _wants_stream(request, body):
            return await _streamed(request, reply, payload(request.path, model, reply, body), body)
        content = (
            reply.body if reply.body is not None else _content(request.path, model, reply, body)
        )
        if reply.cut_off:
            return await _cut_off(request, content)
        return web.Response(
            status=reply.status,
            body=content,
            headers={"Content-Type": "application/json", **reply.headers},
        )

    def _scripted(self, model: str, body: Mapping[str, Any]) -> Reply:
        behaviour = self.script.get(model, self.default)
        if isinstance(behaviour, Reply):
            return behaviour
        if callable(behaviour):
            return behaviour(body)
        turn = self._turn.get(model, 0)
        self._turn[model] = turn + 1
        return behaviour[min(turn, len(behaviour) - 1)]


@asynccontextmanager
async def upstream(
    script: Script | None = None,
    *,
    default: Reply | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Upstream]:
    """Serve until the block ends; models outside the script give `default`."""
    server = Upstream(script or {}, default or Reply())
    app = web.Application(client_max_size=64 * 1024 * 1024)
    for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/messages"):
        app.router.add_post(path, server.serve)
    for method in ("generateContent", "streamGenerateContent"):
        app.router.add_post(f"/v1/models/{{model}}:{method}", server.serve)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    server.url = f"http://{host}:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        server.stop()
        await runner.cleanup()


async def _cut_off(request: web.Request, content: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response


def _wants_stream(request: web.Request, body: Mapping[str, Any]) -> bool:
    return body.get("stream") is True or request.path.endswith(":streamGenerateContent")


async def _streamed(
    request: web.Request, reply: Reply, whole: Mapping[str, Any], body: Mapping[str, Any]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    cut_after = len(tokens(reply.text)) // 2 if reply.cut_off else reply.cut_after
    sent = 0
    for event, is_token in pieces(request.path, whole, body):
        if is_token:
            if sent in (cut_after, reply.ends_after):
                break
            await asyncio.sleep(reply.token_delay_s)
            sent += 1
        await response.write(event)
    if sent == cut_after and request.transport is not None:
        await asyncio.sleep(0.02)  # else what was sent before is lost with the connection
        request.transport.abort()
    return response


def _content(path: str, model: str, reply: Reply, body: Mapping[str, Any]) -> bytes:
    return json.dumps(payload(path, model, reply, body)).encode()


async def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a scripted model until interrupted.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--text", default="4")
    options = parser.parse_args()
    reply = Reply(text=options.text, delay_s=options.delay_ms / 1000.0)
    async with upstream(default=reply, host=options.host, port=options.port) as server:
        print(server.url, flush=True)  # noqa: T201  the caller reads it
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
