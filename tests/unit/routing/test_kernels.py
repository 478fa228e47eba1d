"""Likeness falls with the distance in meaning and in features; words add up by their rarity."""

import numpy as np

from services.routing.features import words
from services.routing.heads import rarity_of, worded
from services.routing.kernels import by_words, likeness, unit_rows


def test_likeness_is_gaussian_in_both_distances():
    rng = np.random.default_rng(0)
    z, f = rng.standard_normal((7, 4)), rng.standard_normal((7, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    apart = ((z[:, None] - z[:3]) ** 2).sum(axis=2) + 0.09 * ((f[:, None] - f[:3]) ** 2).sum(axis=2)

    found = likeness(z @ z[:3].T, f, f[:3], width=2.0, of_features=0.3)

    np.testing.assert_allclose(found, np.exp(-2.0 * apart))


def test_words_of_one_text_count_as_in_the_matrix_of_many():
    texts = [words("one two two"), words("three one"), words("")]
    rarity = rarity_of(texts)
    table = np.random.default_rng(0).standard_normal((2, rarity.size))

    found = by_words(table, texts, rarity)

    np.testing.assert_allclose(found, worded(texts, rarity) @ table.T)


def test_where_words_do_not_count_they_add_nothing():
    assert [[0.0, 0.0]] == by_words(np.zeros((2, 0)), [words("one")], np.zeros(0)).tolist()


def test_kept_vectors_are_of_unit_length_again():
    kept = np.rint(127.0 * np.array([[0.6, 0.8], [0.0, 0.0]])).astype(np.int8)

    np.testing.assert_allclose(unit_rows(kept), [[0.6, 0.8], [0.0, 0.0]], atol=0.01)
