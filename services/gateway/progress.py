"""Follow a request while it is answered."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Final

from gremium.v1 import ensemble_pb2, jury_pb2
from services.core.errors import GremiumError
from services.core.outbox import Outbox
from services.gateway.failures import error_record
from services.gateway.watch import Watch

LEAVE_S: Final = 2.0
"""Longest wait for the record of a request whose caller left."""

Event = ensemble_pb2.AskStreamResponse
Author = tuple[str, str, str]
"""Step, tier and juror: only together they are one's own."""
Ask = Callable[[Watch], Coroutine[Any, Any, ensemble_pb2.AskResponse]]


async def follow(ask: Ask) -> AsyncGenerator[Event, None]:
    """Yield what happens to a request, and last its reply or its failure.

    The request keeps its own time however slowly the events are read. Whoever
    stops reading leaves it; the last one to leave cancels it.

    Raises
    ------
    GremiumError
        If the request was refused before it began.
    """
    outbox: Outbox[Author, Event] = Outbox(_delta, tick_s=0.0)
    watch = Watch(lambda event: _put(outbox, event))
    asking = asyncio.create_task(ask(watch))
    asking.add_done_callback(lambda _: outbox.close())
    try:
        while events := await outbox.take():
            for event in events:
                yield event
        yield _last(asking, watch)
    finally:
        asking.cancel()
        await asyncio.wait([asking], timeout=LEAVE_S)


def _put(outbox: Outbox[Author, Event], event: Event) -> None:
    """Words that nobody has read yet are joined, so that a slow reader costs no memory."""
    if event.HasField("juror_delta"):
        author = event.step, event.tier, event.juror_delta.juror
        outbox.wrote(author, event.juror_delta.text)
    else:
        outbox.tell(event)


def _delta(author: Author, text: str) -> Event:
    step, tier, juror = author
    return Event(juror_delta=jury_pb2.JurorDelta(juror=juror, text=text), step=step, tier=tier)


def _last(asking: asyncio.Task[ensemble_pb2.AskResponse], watch: Watch) -> Event:
    try:
        return Event(final=asking.result())
    except GremiumError as err:
        if not watch.began:
            raise
        return Event(error=error_record(err))
