"""Words are joined by time and by a slow reader; nothing is lost, reordered or held back."""

import asyncio
import time

import pytest

from services.core.outbox import MOST_CHARS, Outbox

LIMIT_S = 5


def outbox(tick_s=0.02):
    return Outbox(lambda author, text: (author, text), tick_s=tick_s)


async def taken(box):
    return await asyncio.wait_for(box.take(), LIMIT_S)


async def everything(box):
    found = []
    while events := await taken(box):
        found += events
    return found


async def test_a_reader_that_was_busy_gets_one_text_of_each_author():
    box = outbox()
    box.tell("started")
    for token in "abc":
        box.wrote("x", token)
        box.wrote("y", token.upper())

    assert ["started", ("x", "abc"), ("y", "ABC")] == await taken(box)


async def test_there_is_one_text_an_author_and_tick():
    box, tick_s = outbox(0.05), 0.05
    reading = asyncio.create_task(everything(box))
    began = time.monotonic()
    for _ in range(40):
        box.wrote("x", "a")
        box.wrote("y", "b")
        await asyncio.sleep(0.005)
    ticks = (time.monotonic() - began) / tick_s
    box.close()
    events = await reading

    assert 4 <= len(events) <= 2 * (ticks + 2)
    assert ("a" * 40, "b" * 40) == tuple(
        "".join(text for author, text in events if author == name) for name in "xy"
    )


async def test_the_first_word_does_not_wait():
    box = outbox(tick_s=60)
    box.wrote("x", "a")

    assert [("x", "a")] == await taken(box)


async def test_what_is_no_word_does_not_wait_and_takes_the_words_along():
    box = outbox(tick_s=60)
    box.wrote("x", "a")
    await taken(box)
    box.wrote("x", "b")
    waiting = asyncio.create_task(taken(box))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    box.tell("settled")

    assert [("x", "b"), "settled"] == await waiting


async def test_the_end_does_not_wait():
    box = outbox(tick_s=60)
    box.wrote("x", "a")
    await taken(box)
    box.wrote("x", "b")
    box.close()

    assert [("x", "b")] == await taken(box)
    assert [] == await taken(box)


@pytest.mark.parametrize("size", [1, 1000])
async def test_a_text_is_never_too_long_for_a_message(size):
    box = outbox()
    for _ in range(3 * MOST_CHARS // size):
        box.wrote("x", "a" * size)
    box.close()
    events = await everything(box)

    assert max(len(text) for _, text in events) <= MOST_CHARS + 1 + size
    assert 3 * MOST_CHARS // size * size == sum(len(text) for _, text in events)
