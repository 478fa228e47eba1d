"""Intervals of slopes hold what they promise where samples depend on each other."""

import numpy as np
import pytest

from bench.slopes import slope


def walks(n, count, *, drift=0.0, memory=0.8):
    """Noisy series with an autocorrelation of `memory`, around a line."""
    random = np.random.default_rng(5)
    for _ in range(count):
        noise = np.zeros(n)
        for i in range(1, n):
            noise[i] = memory * noise[i - 1] + random.normal()
        yield np.arange(n), drift * np.arange(n) + noise


def test_a_constant_series_does_not_rise():
    flat = slope(range(10), [3.0] * 10)

    assert (0.0, 0.0, False) == (flat.value, flat.half_width, flat.rises)


def test_a_leak_rises():
    assert all(slope(*walk).rises for walk in walks(240, 50, drift=0.1))


def test_series_that_do_not_grow_seldom_seem_to():
    rising = sum(slope(*walk).rises for walk in walks(240, 200))

    assert rising / 200 < 0.1


def test_the_interval_is_wider_than_that_of_independent_samples():
    times, values = next(iter(walks(240, 1)))
    centred = times - times.mean()
    rest = values - values.mean() - slope(times, values).value * centred
    ordinary = 1.96 * (rest @ rest / 238 / (centred @ centred)) ** 0.5

    assert slope(times, values).half_width > 1.5 * ordinary


def test_the_slope_is_that_of_least_squares():
    times, values = next(iter(walks(100, 1, drift=0.3)))

    assert slope(times, values).value == pytest.approx(np.polyfit(times, values, 1)[0])
