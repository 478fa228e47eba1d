"""Works on pages beside the event loop: in threads of the console's own, few at once, each in time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from services.gateway.console.reading import Limit, TooSlowError

T = TypeVar("T")

AT_ONCE: Final = 2
"""Pages worked on at once: more would take turns with the requests."""
WAITING: Final = 16
"""Pages that wait for their turn; more are refused."""
PAGE_S: Final = 5.0
"""Longest time that a page may take, its wait included."""


class BusyError(Exception):
    """Too many pages wait already."""


class Threads:
    """Where pages are made. One event loop."""

    def __init__(self, *, page_s: float = PAGE_S) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="console")
        self._page_s = page_s
        self._limits: set[Limit] = set()

    async def work(self, work: Callable[[Limit], T]) -> T:
        """Do work in a thread; it looks at its limit again and again.

        Raises
        ------
        BusyError
            If too much waits already.
        TooSlowError
            If it takes too long.
        """
        if len(self._limits) >= AT_ONCE + WAITING:
            raise BusyError("too many pages wait already")
        limit = Limit.after(self._page_s)
        begun = self._pool.submit(_begun, work, limit)
        self._limits.add(limit)
        begun.add_done_callback(lambda _: self._limits.discard(limit))
        try:
            async with asyncio.timeout(self._page_s):
                return await asyncio.wrap_future(begun)
        except TimeoutError as err:
            raise TooSlowError("the page took too long") from err
        finally:
            limit.stop()

    def close(self) -> None:
        """Stop what is underway; nothing more is begun."""
        for limit in tuple(self._limits):
            limit.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _begun(work: Callable[[Limit], T], limit: Limit) -> T:
    limit.check()
    return work(limit)
