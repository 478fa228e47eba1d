"""Events on their way to a reader who may be slow; nobody waits for it."""

import asyncio
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Author = TypeVar("Author", bound=Hashable)
Event = TypeVar("Event")

MOST_CHARS: Final = 64 * 1024
"""Text of one event, about; more becomes another."""


@dataclass(slots=True)
class _Draft(Generic[Author]):
    """Text of one author that nobody has taken yet."""

    author: Author
    pieces: list[str]
    chars: int = 0


class Outbox(Generic[Author, Event]):
    """Keeps events in order and joins what one author writes until it is taken.

    A message a token would cost more than the token. So however fast authors
    write and however slowly the reader takes, there is one text per author
    and tick.
    """

    def __init__(self, written: Callable[[Author, str], Event], *, tick_s: float) -> None:
        """`written` makes an event of an author and a text."""
        self._written = written
        self._tick_s = tick_s
        self._next_s = 0.0
        self._entries: list[Event | _Draft[Author]] = []
        self._drafts: dict[Author, _Draft[Author]] = {}
        self._anything = asyncio.Event()
        self._urgent = asyncio.Event()
        self._closed = False

    def tell(self, event: Event) -> None:
        """Add an event; it is taken without waiting for the tick."""
        self._entries.append(event)
        self._anything.set()
        self._urgent.set()

    def wrote(self, author: Author, text: str) -> None:
        """Add text to what an author wrote before."""
        draft = self._drafts.get(author)
        if draft is None or draft.chars > MOST_CHARS:
            draft = self._drafts[author] = _Draft(author, [])
            self._entries.append(draft)
        draft.pieces.append(text)
        draft.chars += len(text)
        self._anything.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._anything.set()
        self._urgent.set()

    async def take(self) -> list[Event]:
        """Wait for events and take them; none at the end."""
        await self._anything.wait()
        await self._tick()
        entries, self._entries = self._entries, []
        self._drafts.clear()
        if not self._closed:
            self._anything.clear()
            self._urgent.clear()
        return [self._event(entry) for entry in entries]

    async def _tick(self) -> None:
        """Let more text come, unless something else is waiting."""
        left_s = self._next_s - time.monotonic()
        if left_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._urgent.wait()
        self._next_s = time.monotonic() + self._tick_s

    def _event(self, entry: Event | _Draft[Author]) -> Event:
        if isinstance(entry, _Draft):
            return self._written(entry.author, "".join(entry.pieces))
        return entry
