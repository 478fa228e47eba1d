"""A trained router keeps what its fits said of prompts they had not seen, and how models err."""

import numpy as np
import pytest

from services.routing.artefact import read, write
from services.routing.blending import CORRELATION, error_correlation
from services.routing.fit import fit
from tests.unit.routing.test_predict import EMBEDDING, planted


@pytest.fixture(scope="module")
def routing():
    return fit(planted(), EMBEDDING, created="2026-01-01T00:00:00+00:00")


def test_held_out_predictions_are_as_good_as_they_claim(routing):
    small = routing.held_out.adequacy[:, routing.names.index("small")]

    assert small.mean() == pytest.approx(0.55, abs=0.05)
    assert np.quantile(small, 0.1) < 0.4
    assert np.quantile(small, 0.9) > 0.7


def test_they_survive_the_file(routing, tmp_path):
    write(routing, tmp_path / "router.json")
    again = read(tmp_path / "router.json").held_out

    assert np.array_equal(routing.held_out.adequacy, again.adequacy)
    assert np.array_equal(routing.held_out.correlation, again.correlation)


@pytest.mark.parametrize("planted_correlation", [-0.3, 0.0, 0.6])
def test_finds_how_far_two_models_err_together(planted_correlation):
    rng = np.random.default_rng(0)
    both = np.array([[1.0, planted_correlation], [planted_correlation, 1.0]])
    errors = rng.multivariate_normal([0.0, 0.0], both, size=20_000)

    found = error_correlation(errors)

    assert found[0, 1] == pytest.approx(planted_correlation, abs=0.02)
    assert found[0, 1] == found[1, 0]
    assert found[0, 0] == 1.0


def test_models_without_a_common_row_are_taken_to_err_as_models_do():
    errors = np.array([[0.5, np.nan], [-0.5, np.nan], [np.nan, 0.1], [np.nan, -0.1]])

    assert error_correlation(errors)[0, 1] == CORRELATION
