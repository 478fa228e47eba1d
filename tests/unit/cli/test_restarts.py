"""A process that dies is started again, ever later, and not for ever."""

import pytest

from services.cli.restarts import (
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    MOST_DEATHS,
    WINDOW_S,
    restart_delay_s,
)


def test_the_first_restart_comes_soon():
    assert FIRST_DELAY_S == restart_delay_s([100.0], now=100.0)


def test_each_death_doubles_the_delay():
    delays = [restart_delay_s([100.0] * n, now=100.0) for n in range(1, MOST_DEATHS)]

    assert [0.5, 1.0, 2.0, 4.0] == delays
    assert max(delays) <= LONGEST_DELAY_S


def test_gives_up_after_too_many_deaths():
    assert restart_delay_s([100.0] * MOST_DEATHS, now=100.0) is None


@pytest.mark.parametrize("n", [1, MOST_DEATHS, 50])
def test_forgets_deaths_long_ago(n):
    long_ago = [0.0] * n

    assert FIRST_DELAY_S == restart_delay_s([*long_ago, WINDOW_S + 1], now=WINDOW_S + 1)
