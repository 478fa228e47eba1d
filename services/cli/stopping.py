"""Runs a command's coroutine so that Ctrl-C and SIGTERM end it in order."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from services.runtime.server import loop_factory

T = TypeVar("T")

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_stopped(main: Coroutine[Any, Any, T]) -> T | None:
    """Run to the end, or until a signal cancels it; then None.

    Each signal cancels once: the first lets every block close in order, the
    second interrupts that too.
    """
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_cancelled_by_signals(main))
    except asyncio.CancelledError:
        return None


async def _cancelled_by_signals(main: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for each in STOP_SIGNALS:
        if not _outlives(each):
            loop.add_signal_handler(each, _cancel, task)
    return await main


def _outlives(each: signal.Signals) -> bool:
    """Whether it was started to go on when its terminal closes, as `nohup` does."""
    return each == signal.SIGHUP and signal.getsignal(each) == signal.SIG_IGN


def _cancel(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        task.cancel()
