"""A process tells what it holds when it is asked by a signal, and is not ended by it."""

import asyncio
import logging
import os
import signal

from services.runtime import census


async def asked(caplog):
    """What a census tells within a second; None when nothing is told."""
    caplog.set_level(logging.INFO)
    caplog.clear()
    os.kill(os.getpid(), signal.SIGUSR1)
    for _ in range(20):
        await asyncio.sleep(0.05)
        if told := [record for record in caplog.records if record.message == "census"]:
            return told[0]
    return None


async def idle_for_the_census():
    await asyncio.sleep(30)


async def test_tells_how_many_tasks_there_are_and_of_what(caplog):
    idle = [asyncio.create_task(idle_for_the_census()) for _ in range(5)]
    with census.telling():
        told = await asked(caplog)
    for task in idle:
        task.cancel()

    assert told.tasks == 6
    assert 5 == told.busiest["idle_for_the_census"]
    assert told.threads >= 1


async def test_who_asks_before_or_after_ends_nothing(caplog):
    census.ignore_requests()
    assert await asked(caplog) is None
    with census.telling():
        pass
    assert await asked(caplog) is None
