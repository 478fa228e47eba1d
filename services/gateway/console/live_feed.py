"""Tells pages of what is answered now, as it changes: each a little, few at once, none for ever."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from gremium.v1 import ensemble_pb2
from services.core.errors import LedgerError
from services.gateway.console import listing
from services.gateway.console.desk import Desk
from services.gateway.console.reading import Limit, Reading, TooSlowError, reading
from services.gateway.console.threads import BusyError

EVERY_S: Final = 1.0
"""Pause between two looks."""
FOLLOWERS: Final = 16
"""Pages that are told at once; the others ask again and again."""
LONGEST_S: Final = 900.0
"""How long one page is told; its browser then asks anew."""
SETTLE_S: Final = 3.0
"""How long after a request has ended its record may still be on its way to the disk."""
QUIET_S: Final = 15.0
"""Longest silence: a page that left is noticed when it is written to."""


@dataclass
class Feed:
    """What pages are told, made once for all of them. One event loop."""

    desk: Desk
    followers: int = 0
    _live: str = ""
    _made_s: float = field(default=float("-inf"))
    _recent: str = ""
    _ended: int = -1
    _settled_s: float = 0.0
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def looked(self) -> tuple[int, str, str]:
        """How many requests are answered now, they as HTML, and the latest that ended."""
        async with self._making:
            if time.monotonic() - self._made_s >= EVERY_S / 2:
                await self._look()
            return self.desk.live.count, self._live, self._recent

    async def _look(self) -> None:
        desk, live = self.desk, self.desk.live
        shown = listing.running(live, now_ns=time.time_ns())
        if live.ended != self._ended:
            self._ended, self._settled_s = live.ended, time.monotonic() + SETTLE_S
        if time.monotonic() < self._settled_s:
            self._recent = await desk.threads.work(partial(_recent, desk))
        self._live = await desk.part("live.html", running=shown, count=live.count)
        self._made_s = time.monotonic()


def _recent(desk: Desk, limit: Limit) -> str:
    with reading(desk.ledger_path, limit) as ledger:
        found = _latest(ledger)
    return desk.templates.render("rows.html", {"recent": found})


def _latest(ledger: Reading) -> list[listing.Row]:
    page = ledger.page(ensemble_pb2.ListManifestsRequest(page_size=listing.ROWS))
    return listing.rows(page.manifests)


async def now(request: Request) -> Response:
    """`GET /live`: what is answered now, as a part of a page."""
    _, live, _ = await _feed(request).looked()
    return HTMLResponse(live)


async def events(request: Request) -> Response:
    """`GET /live/events`: the same as a stream of server-sent events."""
    feed = _feed(request)
    if feed.followers >= FOLLOWERS:
        return PlainTextResponse("too many pages follow already\n", 503)
    return StreamingResponse(_told(feed), media_type="text/event-stream")


async def _told(feed: Feed) -> AsyncIterator[str]:
    feed.followers += 1
    began, told_s, last = time.monotonic(), time.monotonic(), ("", "")
    try:
        yield "retry: 2000\n\n"
        while not feed.desk.leaving.is_set() and time.monotonic() - began < LONGEST_S:
            count, *parts = await _looked(feed, last)
            seen = (parts[0], parts[1])
            if seen != last:
                yield _event(count, live=seen[0], recent=seen[1] if seen[1] != last[1] else None)
                last, told_s = seen, time.monotonic()
            elif time.monotonic() - told_s > QUIET_S:
                yield ": still here\n\n"
                told_s = time.monotonic()
            await _pause(feed.desk.leaving)
    finally:
        feed.followers -= 1


async def _looked(feed: Feed, last: tuple[str, str]) -> tuple[int, str, str]:
    """What there is to tell; what was told last when it cannot be found out in time."""
    try:
        return await feed.looked()
    except (BusyError, TooSlowError, LedgerError):
        return feed.desk.live.count, *last


async def _pause(leaving: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(EVERY_S):
            await leaving.wait()
    except TimeoutError:
        return


def _event(count: int, *, live: str, recent: str | None) -> str:
    """One event; JSON keeps it on a line."""
    return f"data: {json.dumps({'count': count, 'live': live, 'recent': recent})}\n\n"


def _feed(request: Request) -> Feed:
    feed: Feed = request.app.state.feed
    return feed
