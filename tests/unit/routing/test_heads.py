"""Heads find what was planted, and what is not known counts for nothing."""

import numpy as np
import pytest

from services.routing.features import words
from services.routing.heads import (
    fit_logistic,
    group_means,
    how_many_clusters,
    kmeans,
    rarity_of,
    worded,
)


def planted(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 2))
    truth = np.array([[1.0, -2.0], [0.0, 0.5]])
    p = 1.0 / (1.0 + np.exp(-(x @ truth.T + np.array([0.5, -1.0]))))
    return x, (rng.random(p.shape) < p).astype(float)


def test_finds_the_weights_of_every_model():
    x, y = planted()
    found = fit_logistic(x, y, np.full(2, 1e-6))

    np.testing.assert_allclose(found.weights, [[1.0, -2.0], [0.0, 0.5]], atol=0.15)
    np.testing.assert_allclose(found.bias, [0.5, -1.0], atol=0.1)


def test_a_model_is_fitted_as_if_it_were_alone():
    x, y = planted(500)
    together, alone = fit_logistic(x, y, np.ones(2)), fit_logistic(x, y[:, :1], np.ones(2))

    np.testing.assert_allclose(together.weights[0], alone.weights[0], atol=1e-3)


def test_missing_labels_are_as_if_the_rows_were_not_there():
    x, y = planted(600)
    holes = y.copy()
    holes[300:, 0] = np.nan
    found, few = fit_logistic(x, holes, np.ones(2)), fit_logistic(x[:300], y[:300], np.ones(2))

    np.testing.assert_allclose(found.weights[0], few.weights[0], atol=1e-3)


def test_labels_may_be_shares():
    x = np.zeros((10, 1))
    found = fit_logistic(x, np.full((10, 1), 0.25), np.ones(1))

    assert 1.0 / (1.0 + np.exp(-found.bias[0])) == pytest.approx(0.25, abs=1e-3)


def test_constant_labels_stay_finite():
    found = fit_logistic(np.ones((10, 1)), np.ones((10, 1)), np.ones(1))

    assert np.isfinite([*found.weights.ravel(), *found.bias]).all()


def test_groups_of_like_vectors_are_found():
    rng = np.random.default_rng(0)
    z = np.repeat(np.eye(4, 6), 50, axis=0) + 0.1 * rng.standard_normal((200, 6))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    centres = kmeans(z, 4, seed=0)
    group = np.argmax(z @ centres.T, axis=1).reshape(4, 50)

    assert (group == group[:, :1]).all()
    assert 4 == len(set(group[:, 0]))


def test_more_groups_than_different_vectors_do_no_harm():
    centres = kmeans(np.tile(np.eye(1, 3), (10, 1)), 4, seed=0)

    np.testing.assert_allclose(centres, np.tile(np.eye(1, 3), (4, 1)))


@pytest.mark.parametrize(("n", "k"), [(3, 3), (50, 4), (1500, 16), (10**6, 32)])
def test_how_many_groups(n, k):
    assert k == how_many_clusters(n)


def test_means_are_drawn_to_the_prior_by_few_labels():
    group = np.array([0, 0, 0, 1, 1])
    y = np.array([[1.0], [1.0], [np.nan], [np.nan], [np.nan]])
    means, counts = group_means(group, 2, y, np.array([0.5]), 2.0)

    assert [[0.75], [0.5]] == means.tolist()
    assert [[2.0], [0.0]] == counts.tolist()


def test_rare_words_weigh_more_and_unseen_ones_nothing():
    texts = [words("common rare"), words("common"), words("common")]
    rarity = rarity_of(texts)
    common, rare = (rarity[words(text).places[0]] for text in ("common", "rare"))

    assert rare > common > 0.0
    assert 0.0 == rarity[words("never").places[0]]


def test_weighed_words_have_unit_length():
    texts = [words("one two two"), words("three")]
    found = worded(texts, rarity_of(texts)).toarray()

    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0)
