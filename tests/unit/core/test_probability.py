"""Log-odds become the probability that has them, and chances the probability of so many hits."""

import math
from itertools import product

import pytest

from services.core.probability import at_least, hits, sigmoid


@pytest.mark.parametrize("p", [1e-12, 0.1, 0.5, 0.9, 1.0 - 1e-12])
def test_comes_back_from_its_log_odds(p):
    assert p == pytest.approx(sigmoid(math.log(p / (1.0 - p))), rel=1e-3)


@pytest.mark.parametrize(("x", "p"), [(-1e6, 0.0), (1e6, 1.0), (-math.inf, 0.0), (math.inf, 1.0)])
def test_does_not_overflow(x, p):
    assert p == sigmoid(x)


@pytest.mark.parametrize("needed", range(6))
def test_counts_every_case_of_independent_chances(needed):
    chances = [0.1, 0.4, 0.75, 0.9]
    cases = [case for case in product([0, 1], repeat=4) if sum(case) >= needed]
    every = sum(
        math.prod(p if hit else 1 - p for p, hit in zip(chances, case, strict=True))
        for case in cases
    )

    assert pytest.approx(every) == at_least(needed, chances)


@pytest.mark.parametrize("chances", [[], [1.0, 1.0], [0.3] * 40])
def test_some_number_of_hits_is_certain(chances):
    assert pytest.approx(1.0) == sum(hits(chances))
    assert pytest.approx(1.0) == at_least(0, chances)
