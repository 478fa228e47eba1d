"""Settles words beside the event loop and the writer, in threads of its own where that may take long.

So whoever sends a text that takes long waits for it alone.
"""

import concurrent.futures
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

Value = TypeVar("Value")
End = TypeVar("End")

AT_ONCE_BYTES: Final = 16 * 1024
"""Words that are as long are settled by whoever asks: a thread would cost more."""
THREADS: Final = 2


class Settling:
    """Settles, and hands on."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ledger-words")
        self._running: set[Future[None]] = set()

    def then(
        self,
        settle: Callable[[], Value],
        submit: Callable[[Value], Future[End]],
        *,
        n_bytes: int,
    ) -> Future[End]:
        """Submit what `settle` gives; the future is that of what was submitted, or of what failed."""
        if n_bytes <= AT_ONCE_BYTES:
            return submit(settle())
        end: Future[End] = Future()
        running = self._threads.submit(_hand_on, settle, submit, end)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return end

    def wait(self, timeout_s: float) -> bool:
        """Wait until all is submitted that is being settled. Returns whether that was in time."""
        _, left = concurrent.futures.wait(tuple(self._running), timeout_s)
        return not left

    def close(self, *, timeout_s: float) -> bool:
        """Take no more, and wait for the rest. Returns whether that was in time."""
        in_time = self.wait(timeout_s)
        self._threads.shutdown(wait=False, cancel_futures=True)
        return in_time


def _hand_on(
    settle: Callable[[], Value], submit: Callable[[Value], Future[End]], end: Future[End]
) -> None:
    try:
        submit(settle()).add_done_callback(partial(_pass_on, end))
    except Exception as err:  # noqa: BLE001 - whoever waits gets it
        end.set_exception(err)


def _pass_on(end: Future[End], done: Future[End]) -> None:
    if (err := done.exception()) is not None:
        end.set_exception(err)
    else:
        end.set_result(done.result())
