"""When a process that died is started again. Pure: times in, a delay out."""

from collections.abc import Sequence

WINDOW_S = 120.0
MOST_DEATHS = 5
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 8.0


def restart_delay_s(deaths: Sequence[float], *, now: float) -> float | None:
    """Seconds to wait before the next start; None when it died too often to go on.

    Deaths within the last `WINDOW_S` seconds count. The delay doubles with
    each, and the last of `MOST_DEATHS` gives up.

    Examples
    --------
    >>> restart_delay_s([10.0], now=10.0)
    0.5
    >>> restart_delay_s([10.0, 12.0, 15.0], now=15.0)
    2.0
    >>> restart_delay_s([10.0, 11.0, 12.0, 13.0, 14.0], now=14.0) is None
    True
    """
    recent = sum(now - death <= WINDOW_S for death in deaths)
    if recent >= MOST_DEATHS:
        return None
    return float(min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** max(0, recent - 1)))
