"""Records that nobody waits for, by their request."""

import asyncio
import logging
from concurrent.futures import Future
from functools import partial
from typing import Any

logger = logging.getLogger(__name__)


class Queued:
    """Knows of each request the last of its records that is on its way to the disk."""

    def __init__(self, most: int) -> None:
        """`most` requests may have any at once."""
        self._most = most
        self._last: dict[str, asyncio.Future[Any]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._last

    @property
    def is_full(self) -> bool:
        return len(self._last) >= self._most

    def add(self, request_id: str, recording: "Future[Any]") -> None:
        queued = asyncio.wrap_future(recording)
        self._last[request_id] = queued
        queued.add_done_callback(partial(self._remove, request_id))

    async def wait_for(self, request_id: str, *, timeout_s: float) -> None:
        """Wait until what is queued of a request is on disk, or lost."""
        if (queued := self._last.get(request_id)) is not None:
            await asyncio.wait([queued], timeout=timeout_s)

    def _remove(self, request_id: str, queued: asyncio.Future[Any]) -> None:
        if self._last.get(request_id) is queued:
            del self._last[request_id]
        if not queued.cancelled() and (err := queued.exception()) is not None:
            logger.error("a record of request %s is lost: %s", request_id, err)
