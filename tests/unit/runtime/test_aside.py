"""Long work leaves the event loop free; short work is done at once."""

import asyncio
import threading
import time

from services.runtime.aside import AT_ONCE_CHARS, aside


def busy(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return threading.current_thread()


async def test_short_work_is_done_at_once():
    assert threading.current_thread() is await aside(AT_ONCE_CHARS, busy, 0.0)


async def test_the_loop_runs_beside_long_work():
    work = asyncio.create_task(aside(AT_ONCE_CHARS + 1, busy, 0.5))
    turns = 0
    while not work.done():
        turns += 1
        await asyncio.sleep(0.01)

    assert turns > 5


async def test_what_was_given_up_is_not_begun():
    begun = []
    first = asyncio.create_task(aside(AT_ONCE_CHARS + 1, busy, 0.2))
    second = asyncio.create_task(aside(AT_ONCE_CHARS + 1, begun.append, 1))
    await asyncio.sleep(0.01)
    second.cancel()
    await first

    await aside(AT_ONCE_CHARS + 1, busy, 0.0)
    assert not begun
