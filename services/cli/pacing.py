"""Tells how far long work has come, but not too often."""

import time
from collections.abc import Callable
from typing import Final

TELL_S: Final = 2.0
"""Shortest time between two lines."""


def now_and_then(
    say: Callable[[str], object], *, clock: Callable[[], float] = time.monotonic
) -> Callable[[str], None]:
    """A function that says what it is given, unless it said something a moment ago.

    Examples
    --------
    >>> tell = now_and_then(print, clock=iter([0.0, 0.5, 2.5, 3.0]).__next__)
    >>> for n in (1, 2, 3):
    ...     tell(f"{n} records")
    2 records
    """
    told_s = clock()

    def tell(text: str) -> None:
        nonlocal told_s
        now_s = clock()
        if now_s >= told_s + TELL_S:
            told_s = now_s
            say(text)

    return tell
