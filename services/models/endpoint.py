"""One provider's HTTP API: posts JSON, and turns every failure into a BackendError."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson

from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.models.reading import error_text, items, mapping, text
from services.models.settings import proxy_for
from services.models.sse import EventParser
from services.models.throttle import duration_s
from services.runtime import telemetry

MAX_REPLY_BYTES: Final = 32 * 1024 * 1024
MAX_QUOTED_CHARS: Final = 300
NO_HEADERS: Final[Mapping[str, str]] = {}
LAST: Final = {"Connection": "close"}
"""Asks to use the connection no more."""
CLOSING_SERVER: Final = "llama.cpp"
"""A server that closes a stream's connection without saying so: the next call would be lost."""
EVENT_STREAM: Final = "text/event-stream"
DONE: Final = "[DONE]"
"""What OpenAI's protocol sends last."""
END_S: Final = 0.05
"""Longest wait for the end of a stream whose last event is there, to use its connection again."""

CONNECT_S: Final = 5.0

Take = Callable[[Mapping[str, Any]], None]
"""Takes one object of a stream; must not block."""
Heed = Callable[[Mapping[str, str]], None]
"""Takes the headers of a reply, which may tell what the provider still allows."""


@asynccontextmanager
async def open_session(*, most: int = 0) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the connections that all models of a process share, at most so many; 0: any number.

    Idle ones are dropped after 4 s: common servers close theirs after 5, and a
    request that meets the closing one is lost but may be billed.
    """
    connector = aiohttp.TCPConnector(limit=most, keepalive_timeout=4.0)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        headers={"User-Agent": "gremium"},
    ) as session:
        yield session


class Endpoint:
    """Where and how to post. Safe for concurrent calls."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        headers: Mapping[str, str],
        key: str = "",
        key_variable: str = "",
        connect_s: float = CONNECT_S,
        heed: Heed | None = None,
    ) -> None:
        """`key` is only kept to strike it out of errors; `headers` carry it."""
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"Content-Type": "application/json", **headers}
        self._key = key
        self._key_variable = key_variable
        self._proxy = proxy_for(base_url)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_s)
        self._heed = heed
        self._keeps_streams = False
        """Whether the server leaves a connection open after a stream; its first reply tells."""
        self.host = urlsplit(base_url).netloc.rpartition("@")[2]

    async def post(
        self, path: str, body: Mapping[str, Any], *, deadline: Deadline
    ) -> dict[str, Any]:
        """Post `body` and return the JSON object that comes back.

        Cancelling closes the connection.

        Raises
        ------
        BackendError
            If there is no key, no connection, no success or no JSON object. Its
            metadata `sent` is False when the provider saw nothing to bill.
        TimeoutError
            If the deadline passed first.
        """
        self._require_key()
        async with asyncio.timeout(deadline.left_s), self._posted(path, body) as response:
            return await self._whole(response)

    async def stream(
        self, path: str, body: Mapping[str, Any], *, deadline: Deadline, take: Take
    ) -> dict[str, Any] | None:
        """Post `body` and `take` each JSON object of the event stream that comes back.

        The connection is used again when the stream was read to its end, if the server is known
        to allow it; cancelling closes it. Whether the last object was the last one that was meant, only the caller can tell.

        Returns
        -------
        dict or None
            The whole reply of a server that does not stream; else None.

        Raises
        ------
        BackendError
            As `post`.
        TimeoutError
            If the deadline passed before the end.
        """
        self._require_key()
        posted = self._posted(path, body, added=NO_HEADERS if self._keeps_streams else LAST)
        async with asyncio.timeout(deadline.left_s), posted as response:
            if response.status != 200 or response.content_type != EVENT_STREAM:
                return await self._whole(response)
            await self._take_events(response, take)
            await _leave(response)
            return None

    def _require_key(self) -> None:
        if self._key_variable and not self._key:
            raise not_sent(
                f"environment variable {self._key_variable} is not set, and {self.host} needs it",
                cause="AUTHENTICATION",
                variable=self._key_variable,
            )

    async def _take_events(self, response: aiohttp.ClientResponse, take: Take) -> None:
        parser, size = EventParser(), 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                raise self.invalid(f"its reply has more than {MAX_REPLY_BYTES} bytes")
            for data in parser.feed(chunk):
                if data == DONE:
                    return
                take(self._object(data.encode()))

    async def _whole(self, response: aiohttp.ClientResponse) -> dict[str, Any]:
        content = await self._read(response)
        if not 200 <= response.status < 300:
            raise self._refusal(response.status, response.headers, content)
        return self._object(content)

    @asynccontextmanager
    async def _posted(
        self, path: str, body: Mapping[str, Any], *, added: Mapping[str, str] = NO_HEADERS
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a post, while it is read in the block."""
        try:
            async with self._session.post(
                self._base_url + path,
                data=orjson.dumps(body),
                headers={**self._headers, **_trace_headers(), **added},
                proxy=self._proxy,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                server = response.headers.get("Server", "")
                self._keeps_streams = not server.startswith(CLOSING_SERVER)
                if self._heed is not None:
                    self._heed(response.headers)
                yield response
        except aiohttp.ConnectionTimeoutError as err:
            waited_s = self._timeout.connect
            raise not_sent(
                f"no connection to {self.host} within {waited_s:g} s", cause="CONNECTION"
            ) from err
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as err:
            raise not_sent(
                f"cannot connect to {self.host}: {self.quoted(str(err))}", cause="CONNECTION"
            ) from err
        except aiohttp.ClientError as err:
            said = self.quoted(str(err)) or type(err).__name__
            raise BackendError(
                f"{self.host} broke the connection: {said}", cause="CONNECTION"
            ) from err

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > MAX_REPLY_BYTES:
                raise self.invalid(f"its reply has more than {MAX_REPLY_BYTES} bytes")
        return bytes(content)

    def _refusal(self, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
        said = self.quoted(_error_text(content))
        message = f"{self.host} replied HTTP {status}" + (f": {said}" if said else "")
        cause = {401: "AUTHENTICATION", 403: "AUTHENTICATION", 429: "RATE_LIMITED"}.get(
            status, "HTTP_STATUS"
        )
        retry_after_s = _retry_after_s(headers)
        if retry_after_s is None:
            retry_after_s = _retry_delay_s(content)
        return BackendError(message, cause=cause, retry_after_s=retry_after_s, http_status=status)

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            value = orjson.loads(content)
        except orjson.JSONDecodeError as err:
            shown = self.quoted(content.decode(errors="replace"))
            raise self.invalid(f"its reply is no JSON: {shown or 'empty'}") from err
        if not isinstance(value, dict):
            raise self.invalid(f"its reply is no JSON object but {type(value).__name__}")
        return value

    def invalid(self, what: str) -> BackendError:
        """The error for a reply that is none."""
        return BackendError(f"{self.host} is not understood: {what}", cause="INVALID_REPLY")

    def cut(self) -> BackendError:
        """The error for a stream that ended before the reply did."""
        return BackendError(f"{self.host} ended its reply in the middle", cause="STREAM_CUT")

    def broken(self, said: str) -> BackendError:
        """The error for a provider that reports a failure of its own in the stream."""
        text = f"{self.host} failed while it replied: {self.quoted(said)}"
        return BackendError(text, cause="STREAM_CUT")

    def quoted(self, text: str) -> str:
        """A text of the provider on one short line, without our key."""
        if self._key:
            text = text.replace(self._key, "***")
        line = " ".join(text.split())
        return line if len(line) <= MAX_QUOTED_CHARS else line[: MAX_QUOTED_CHARS - 1] + "…"


async def _leave(response: aiohttp.ClientResponse) -> None:
    """Read a stream to its end if that is near: only then its connection is used again."""
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(END_S):
            async for _ in response.content.iter_any():
                pass


def not_sent(message: str, *, cause: str, **metadata: str) -> BackendError:
    """An error of a call that never reached its provider, so that nothing is billed."""
    return BackendError(message, cause=cause, retry_after_s=None, sent=False, **metadata)


def _trace_headers() -> dict[str, str]:
    trace_id, span_id = telemetry.current_trace_id(), telemetry.current_span_id()
    return {"traceparent": f"00-{trace_id}-{span_id}-01"} if trace_id and span_id else {}


def _error_text(content: bytes) -> str:
    """The message of an error body where it has one, else the body."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content[: 4 * MAX_QUOTED_CHARS].decode(errors="replace")
    return error_text(mapping(value).get("error", value))


def _retry_delay_s(content: bytes) -> float | None:
    """Time that Google's errors ask for: `google.rpc.RetryInfo` among their details, no header."""
    with suppress(orjson.JSONDecodeError):
        details = items(mapping(mapping(orjson.loads(content)).get("error")).get("details"))
        told = [text(each["retryDelay"]) for each in details if "retryDelay" in each]
        return duration_s(told[0], datetime.now(UTC)) if told else None
    return None


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Time that a refusal asks for: seconds, a date, or with Azure and OpenAI milliseconds."""
    told_ms, now = headers.get("retry-after-ms", ""), datetime.now(UTC)
    told_s = duration_s(f"{told_ms}ms", now)
    return duration_s(headers.get("Retry-After", ""), now) if told_s is None else told_s
