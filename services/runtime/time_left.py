"""How much time a caller has left, told more exactly than gRPC does."""

import math
from typing import Any, Final

TIME_LEFT: Final = "gremium-time-left"
"""Metadata with the seconds that a caller has left; gRPC's own header may tell up to 3 % more."""
TRANSIT_S: Final = 0.001
"""Longest that a message is taken to be underway, so that each stage has less than the one above."""


def time_left_s(context: Any) -> float | None:
    """Seconds until the caller gives up: by gRPC, or less if its metadata says so; None without.

    gRPC tells coarse times, rounded up, and repeats one that is up to 3 % longer
    (core/lib/transport/timeout_encoding.cc), by which a callee would have more
    time than its caller.
    """
    told = dict(context.invocation_metadata() or ()).get(TIME_LEFT)
    known = [each for each in (context.time_remaining(), _seconds(told)) if each is not None]
    return min(known, default=None)


def time_left_header(left_s: float) -> tuple[str, str]:
    """Metadata for a call that is about to start with so many seconds left."""
    return TIME_LEFT, f"{max(left_s - TRANSIT_S, left_s / 2):.6f}"


def _seconds(told: object) -> float | None:
    try:
        seconds = float(str(told))
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < math.inf else None
