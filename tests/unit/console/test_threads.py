"""Pages are made beside the event loop: few at once, each in time, none after the end."""

import asyncio
import threading
import time

import pytest

from services.gateway.console.reading import TooSlowError
from services.gateway.console.threads import AT_ONCE, WAITING, BusyError, Threads


@pytest.fixture
def threads():
    made = Threads(page_s=0.3)
    yield made
    made.close()


@pytest.fixture
def patient():
    made = Threads(page_s=60.0)
    yield made
    made.close()


def slow(limit):
    while True:
        limit.check()
        time.sleep(0.005)


async def test_a_page_is_made_in_a_thread_of_the_console(patient):
    name = await patient.work(lambda _: threading.current_thread().name)

    assert name.startswith("console")


async def test_a_page_that_takes_too_long_is_given_up_and_told_to_stop(threads):
    stopped = threading.Event()

    def stopping(limit):
        try:
            slow(limit)
        finally:
            stopped.set()

    with pytest.raises(TooSlowError):
        await threads.work(stopping)

    assert stopped.wait(2.0)


async def test_the_loop_goes_on_while_pages_are_made(threads):
    pages = [asyncio.create_task(threads.work(slow)) for _ in range(AT_ONCE)]
    late = []
    for _ in range(10):
        began = time.monotonic()
        await asyncio.sleep(0.01)
        late.append(time.monotonic() - began)
    await asyncio.wait(pages)

    assert all(isinstance(page.exception(), TooSlowError) for page in pages)
    assert 0.2 > sorted(late)[5]


async def test_what_is_too_much_is_refused_at_once(patient):
    go = threading.Event()
    pages = [
        asyncio.create_task(patient.work(lambda _: go.wait(60.0))) for _ in range(AT_ONCE + WAITING)
    ]
    await asyncio.sleep(0)

    with pytest.raises(BusyError):
        await patient.work(lambda _: None)
    go.set()
    assert [True] * len(pages) == await asyncio.gather(*pages)


async def test_nothing_is_begun_after_its_time(threads):
    begun = []
    go = threading.Event()
    waits = [
        asyncio.create_task(threads.work(lambda _: go.wait(5.0) and None)) for _ in range(AT_ONCE)
    ]
    late = asyncio.create_task(threads.work(lambda _: begun.append("late")))
    *_, end = await asyncio.gather(*waits, late, return_exceptions=True)
    go.set()

    assert isinstance(end, TooSlowError)
    assert [] == begun
