"""The sketch tells quantiles to five percent, and forgets."""

import numpy as np
import pytest

from services.models.latency import HALF_LIFE_S, LatencySketch
from tests.unit.models.clocks import Clock


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.95, 0.99])
def test_quantiles_are_off_by_a_bucket_at_most(quantile):
    values = np.random.default_rng(1).lognormal(0.0, 1.0, 5000)
    sketch = LatencySketch(Clock())
    for value in values:
        sketch.add(float(value))

    exact = float(np.quantile(values, quantile))
    assert exact == pytest.approx(sketch.quantile_s(quantile), rel=0.06)


def test_few_calls_tell_nothing():
    sketch = LatencySketch(Clock())
    for _ in range(9):
        sketch.add(1.0)
    assert sketch.quantile_s(0.5) is None

    sketch.add(1.0)
    assert 1.0 == pytest.approx(sketch.quantile_s(0.5), rel=0.05)


def test_the_extremes_have_their_buckets():
    sketch = LatencySketch(Clock())
    for _ in range(10):
        sketch.add(0.0)
        sketch.add(1e9)

    assert sketch.quantile_s(0.0) <= 0.001
    assert sketch.quantile_s(1.0) >= 3000.0


def test_later_calls_outweigh_earlier_ones():
    clock = Clock()
    sketch = LatencySketch(clock)
    for _ in range(100):
        sketch.add(10.0)
    clock.pass_s(8 * HALF_LIFE_S)
    for _ in range(10):
        sketch.add(0.1)

    assert 0.1 == pytest.approx(sketch.quantile_s(0.5), rel=0.05)


def test_it_works_for_years():
    clock = Clock()
    sketch = LatencySketch(clock)
    for _ in range(400):
        clock.pass_s(86400.0)
        for _ in range(20):
            sketch.add(0.5)

    assert 0.5 == pytest.approx(sketch.quantile_s(0.5), rel=0.05)


def test_what_is_old_enough_tells_nothing_any_more():
    clock = Clock()
    sketch = LatencySketch(clock)
    for _ in range(20):
        sketch.add(1.0)
    clock.pass_s(4 * HALF_LIFE_S)

    assert sketch.quantile_s(0.5) is None
