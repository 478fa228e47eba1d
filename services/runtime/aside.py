"""Does long computations beside the event loop, so that it goes on answering meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Final, ParamSpec, TypeVar

AT_ONCE_CHARS: Final = 8192
"""Texts up to this long are read at once: that takes 10 ms at most, mostly under 1 ms."""

P = ParamSpec("P")
T = TypeVar("T")


async def aside(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do work on so many characters: at once when they are few, else in a thread.

    There is one such thread: two would take turns with the event loop, and
    double what it waits. Work that its caller gave up is not begun.
    """
    if size <= AT_ONCE_CHARS:
        return work(*args, **kwargs)
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(
        _thread(), lambda: context.run(work, *args, **kwargs)
    )


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")
