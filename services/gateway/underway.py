"""Which requests this gateway answers now, so that a second call with a request_id can wait."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.core.deadline import Deadline


@dataclass
class Underway:
    """Requests by request_id, from their first call until its end."""

    _ends: dict[str, asyncio.Event] = field(default_factory=dict)

    @contextmanager
    def running(self, request_id: str) -> Iterator[None]:
        """Keep the request for the block, unless an earlier call does."""
        if request_id in self._ends:
            yield
            return
        end = self._ends[request_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._ends[request_id]
            end.set()

    async def ended(self, request_id: str, *, deadline: Deadline) -> bool:
        """Wait for the end of the call that runs; whether it came before the deadline."""
        end = self._ends.get(request_id)
        if end is None:
            return True
        try:
            async with asyncio.timeout(deadline.left_s):
                return await end.wait()
        except TimeoutError:
            return False
