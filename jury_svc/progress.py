"""Follow a deliberation while it runs."""

import asyncio
from collections.abc import AsyncGenerator

from jury_svc.case import Case, Event, Hearing
from jury_svc.deliberation import SETTLE_S, deliberate
from services.core.deadline import Deadline


async def follow(case: Case, *, deadline: Deadline) -> AsyncGenerator[Event | Hearing, None]:
    """Yield what happens to each juror, and last what the jury came to.

    The jury keeps its own time however slowly the events are read. Whoever
    stops reading cancels it.

    Raises
    ------
    DeadlineSpentError
        If no time is left to ask anyone.
    """
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    hearing = asyncio.create_task(deliberate(case, deadline=deadline, tell=events.put_nowait))
    hearing.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        yield hearing.result()
    finally:
        hearing.cancel()
        await asyncio.wait([hearing], timeout=SETTLE_S)
