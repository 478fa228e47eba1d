"""Follow a deliberation while it runs."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from jury_svc.case import Case, Event, Hearing, Wrote
from jury_svc.deliberation import SETTLE_S, deliberate
from services.core.deadline import Deadline
from services.core.outbox import Outbox

TICK_S: Final = 0.02
"""How long a juror's words are collected: a message for each would cost 0.2 ms of CPU."""


async def follow(case: Case, *, deadline: Deadline) -> AsyncGenerator[Event | Hearing, None]:
    """Yield what happens to each juror, and last what the jury came to.

    The jury keeps its own time however slowly the events are read. Whoever
    stops reading cancels it.

    Raises
    ------
    DeadlineSpentError
        If no time is left to ask anyone.
    """
    outbox: Outbox[str, Event] = Outbox(Wrote, tick_s=TICK_S)
    hearing = asyncio.create_task(
        deliberate(case, deadline=deadline, tell=outbox.tell, hear=outbox.wrote)
    )
    hearing.add_done_callback(lambda _: outbox.close())
    try:
        while events := await outbox.take():
            for event in events:
                yield event
        yield hearing.result()
    finally:
        hearing.cancel()
        await asyncio.wait([hearing], timeout=SETTLE_S)
