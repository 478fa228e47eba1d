"""Ridge regression by conjugate gradients is the regression that its normal equations give."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from services.routing.ridge import Design, regressed

RIDGE = 2.0


def planted(n=60, seed=0):
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal((n, width)).astype(np.float32) for width in (5, 9, 3)]
    return Design(parts[0], csr_array(parts[1]), parts[2]), rng.random((n, 3))


def solved(design, y):
    x = np.concatenate([design.near, design.words.toarray(), design.places], axis=1)
    return np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ (y - y.mean(axis=0)))


def joined(found):
    return np.concatenate([found.near, found.words, found.places])


def test_solves_the_normal_equations():
    design, y = planted()

    found = regressed(design, y, RIDGE)

    np.testing.assert_allclose(joined(found), solved(design, y), atol=2e-3)
    np.testing.assert_allclose(found.bias, y.mean(axis=0))


def test_leaves_out_what_is_not_known():
    design, y = planted()
    few = solved(design.only(np.arange(60) < 40), y[:40])
    y[40:, 1], y[:, 2] = np.nan, np.nan

    found = regressed(design, y, RIDGE)

    np.testing.assert_allclose(joined(found)[:, 1], few[:, 1], atol=2e-3)
    assert found.bias[2] == pytest.approx(0.0)
    assert not joined(found)[:, 2].any()


def test_a_constant_target_has_a_bias_alone():
    design, _ = planted()

    found = regressed(design, np.full((60, 1), 0.7), RIDGE)

    np.testing.assert_allclose(joined(found), 0.0, atol=1e-6)
    assert found.bias[0] == pytest.approx(0.7)
