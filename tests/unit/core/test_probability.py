"""Log-odds become the probability that has them, however far out they are."""

import math

import pytest

from services.core.probability import sigmoid


@pytest.mark.parametrize("p", [1e-12, 0.1, 0.5, 0.9, 1.0 - 1e-12])
def test_comes_back_from_its_log_odds(p):
    assert p == pytest.approx(sigmoid(math.log(p / (1.0 - p))), rel=1e-3)


@pytest.mark.parametrize(("x", "p"), [(-1e6, 0.0), (1e6, 1.0), (-math.inf, 0.0), (math.inf, 1.0)])
def test_does_not_overflow(x, p):
    assert p == sigmoid(x)
