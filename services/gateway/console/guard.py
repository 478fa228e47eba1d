"""Stands before every page: who may call it by which name, and what browsers may do with it."""

import hmac
import ipaddress
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?")
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
KEPT_FOR: Final = "no-store"
"""How long browsers keep a page: what it shows is nobody else's business."""
WRONG_KEYS: Final = 10
"""Wrong keys in a minute, from whomever; then the right one is not listened to either."""
MINUTE_S: Final = 60.0


class Guard:
    """Refuses names that the console is not known by, and sets the headers of all replies.

    A page that another name was bound to this address for, in a browser that
    trusts that name, is thus told nothing (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.strip().casefold() for name in names if name.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the console takes no {scope['type']}")

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", KEPT_FOR)
            await send(message)

        host = Headers(scope=scope).get("host", "")
        if self.knows(host):
            await self._app(scope, receive, guarded)
        else:
            refusal = PlainTextResponse(
                "this host name is not known; GREMIUM_GATEWAY_CONSOLE_NAMES may name it\n", 421
            )
            await refusal(scope, receive, guarded)

    def knows(self, host: str) -> bool:
        """Whether browsers may call the console so: `host` or `host:port`."""
        name = _name(host)
        return name == "localhost" or name in self._names or _is_ip(name)


def _name(host: str) -> str:
    found = HOST.fullmatch(host.casefold())
    return found[1].strip("[]") if found else ""


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_own(request: Request) -> bool:
    """Whether a form was sent by a page of this console; programs that are no browser say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers["host"]


class Lock:
    """What a key opens."""

    def __init__(self, key: str | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = key
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=WRONG_KEYS)

    @property
    def exists(self) -> bool:
        """Whether there is a key at all."""
        return self._key is not None

    @property
    def jammed(self) -> bool:
        """Whether too many wrong keys were tried of late."""
        is_full = len(self._wrong) == WRONG_KEYS
        return is_full and self._clock() - self._wrong[0] < MINUTE_S

    def opens(self, key: str) -> bool:
        """Whether it is the key; compared in constant time."""
        if self._key is None or self.jammed:
            return False
        right = hmac.compare_digest(key.encode(), self._key.encode())
        if not right:
            self._wrong.append(self._clock())
        return right
