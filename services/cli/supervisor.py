"""Starts the processes of a mesh, keeps them running, and stops them in order."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from services.cli.child import Child, Process
from services.cli.engine_health import is_engine_ready
from services.cli.errors import MeshError
from services.cli.health import is_serving
from services.cli.progress import Progress
from services.cli.restarts import MOST_DEATHS, restart_delay_s

START_LIMIT_S: Final = 120.0
POLL_S: Final = 0.1
KILL_LIMIT_S: Final = 2.0
STOP_ORDER: Final = ("gateway", "stage", "engine")
"""Who takes requests stops first, so that whoever is asked still answers."""


@asynccontextmanager
async def running_children(
    processes: Sequence[Process], *, logs: Path, progress: Progress
) -> AsyncIterator[Sequence[Child]]:
    """Run the processes until the block ends; yields once all of them serve.

    Ends within their stop limits. Cancelled while it stops them, it kills them.

    Raises
    ------
    MeshError
        If one dies at its start or does not serve in time.
    """
    children = [Child(process, logs) for process in processes]
    for child in children:
        child.log.write_bytes(b"")
    try:
        with progress.starting([p.label for p in processes]):
            await _start_all(children, progress)
        yield children
    finally:
        await _stop_all(children)


async def keep_running(child: Child, *, progress: Progress) -> AsyncIterator[Child]:
    """Start the child again whenever it ends; yields after each new start.

    One that served and then ended in order, as after SIGTERM, did not die.

    Raises
    ------
    MeshError
        If it dies too often.
    """
    deaths: list[float] = []
    served = True
    while True:
        code = await child.ended()
        now = time.monotonic()
        if code != 0 or not served:
            deaths.append(now)
        delay_s = restart_delay_s(deaths, now=now)
        if delay_s is None:
            raise MeshError(_with_log(f"{child.process.label} died {MOST_DEATHS} times", child))
        progress.died(child, code, delay_s)
        await asyncio.sleep(delay_s)
        served = await _restarted(child, progress)
        if served:
            yield child


async def _restarted(child: Child, progress: Progress) -> bool:
    try:
        await _start(child, progress)
    except MeshError:
        child.kill()
        return False
    return True


async def _start_all(children: Sequence[Child], progress: Progress) -> None:
    try:
        async with asyncio.TaskGroup() as starting:
            for child in children:
                starting.create_task(_start(child, progress))
    except* MeshError as failed:
        raise failed.exceptions[0] from None


async def _start(child: Child, progress: Progress) -> None:
    began = time.monotonic()
    await child.start()
    while not await _serves(child):
        if child.exit_code is not None:
            raise MeshError(_with_log(f"{child.process.label} ended at its start", child))
        if time.monotonic() - began > START_LIMIT_S:
            raise MeshError(
                _with_log(f"{child.process.label} does not serve after {START_LIMIT_S:g} s", child)
            )
        await asyncio.sleep(POLL_S)
    progress.serving(child.process.label, child.process.address, time.monotonic() - began)


async def _serves(child: Child) -> bool:
    if child.exit_code is not None:
        return False
    if child.process.kind == "engine":
        return await is_engine_ready(child.process.address)
    return await is_serving(child.process.address, child.process.health)


async def _stop_all(children: Sequence[Child]) -> None:
    try:
        for kind in STOP_ORDER:
            await asyncio.gather(*(c.stop() for c in children if c.process.kind == kind))
    finally:
        await _kill_all(children)


async def _kill_all(children: Sequence[Child]) -> None:
    for child in children:
        child.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(KILL_LIMIT_S):
            await asyncio.gather(*(child.ended() for child in children))


def _with_log(what: str, child: Child) -> str:
    code = "" if child.exit_code is None else f" (exit code {child.exit_code})"
    tail = child.tail() or "(it wrote nothing)"
    return f"{what}{code}; the end of {child.log}:\n{tail}"
