"""What the kernel goes by is chosen by what it tells of rows that it was not fitted on."""

from dataclasses import replace

import numpy as np

from services.routing.kernel_fit import Terms
from services.routing.rows import rows_of
from services.routing.tuning import MIN_ROWS, tuned

DIM = 8
WORDS = ("castle", "verdict", "river", "engine", "letter", "garden", "number", "winter")


def rows(n, *, decided):
    """Meaning tells all, or nothing; words and features tell nothing."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n, DIM)).astype(np.float32)
    share = np.where(vectors[:, 0] > 0.0, 0.95, 0.05) if decided else 0.5
    told = [" ".join(rng.choice(WORDS, 8)) for _ in range(n)]
    return rows_of(
        ["small"],
        [f"row {i}" for i in range(n)],
        [f"{words} {i}" for i, words in enumerate(told)],
        (rng.random(n) < share).astype(float)[:, np.newaxis],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )


def test_features_weigh_less_where_they_tell_nothing():
    assert tuned(rows(500, decided=True), seed=0).features < Terms().features


def test_the_penalty_is_small_where_labels_are_hardly_noisy():
    assert tuned(rows(500, decided=True), seed=0).ridge < Terms().ridge


def test_few_rows_choose_nothing():
    assert Terms() == tuned(rows(MIN_ROWS - 1, decided=True), seed=0)


def test_rows_without_labels_choose_nothing():
    given = rows(300, decided=True)

    assert Terms() == tuned(replace(given, labels=np.full((300, 1), np.nan)), seed=0)
