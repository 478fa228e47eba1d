"""What a process holds, told in its log when it gets SIGUSR1: a leak of tasks or threads shows."""

import asyncio
import logging
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

logger = logging.getLogger(__name__)

SIGNAL: Final = getattr(signal, "SIGUSR1", None)
"""None on Windows, which has no such signal."""
MOST_NAMES: Final = 8


def ignore_requests() -> None:
    """Let nobody end this process by asking before its loop can tell."""
    if SIGNAL is not None:
        signal.signal(SIGNAL, signal.SIG_IGN)


@contextmanager
def telling() -> Iterator[None]:
    """Log a census at each SIGUSR1 while the block lasts."""
    if SIGNAL is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(SIGNAL, _tell)
    try:
        yield
    finally:
        loop.remove_signal_handler(SIGNAL)
        ignore_requests()


def _tell() -> None:
    tasks = asyncio.all_tasks()
    busiest = Counter(map(_name, tasks)).most_common(MOST_NAMES)
    told = {"tasks": len(tasks), "threads": threading.active_count(), "busiest": dict(busiest)}
    logger.info("census", extra=told)


def _name(task: "asyncio.Task[Any]") -> str:
    return str(getattr(task.get_coro(), "__qualname__", "?"))
