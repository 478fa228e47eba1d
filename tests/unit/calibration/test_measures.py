"""The map from posteriors to what was observed mends what it has evidence of, and nothing else."""

import numpy as np
import pytest

from services.calibration.measures import platt


def test_overconfidence_is_mended():
    rng = np.random.default_rng(0)
    x = rng.normal(size=5000) * 3
    right = rng.random(5000) < 1 / (1 + np.exp(-x / 2))

    curve = platt(1 / (1 + np.exp(-x)), right)

    assert curve.slope == pytest.approx(0.5, abs=0.05)
    assert curve.offset == pytest.approx(0.0, abs=0.1)


def test_of_few_wrong_answers_no_slope_is_learned_from_chance():
    """Probabilities that are true as they are: 100 of them cannot show that they are not."""
    rng = np.random.default_rng(0)
    told = [0.5 + 0.5 * rng.random(100) for _ in range(20)]

    slopes = [platt(sure, rng.random(100) < sure).slope for sure in told]

    assert all(0.7 < slope < 1.3 for slope in slopes)
