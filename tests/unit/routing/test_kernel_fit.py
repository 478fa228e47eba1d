"""The kernel head is the regression that its whole kernel gives, whatever the way it is computed."""

import numpy as np

from services.routing.kernel_fit import Terms, fit_domains, fit_kernel, ground_of
from services.routing.kernels import likeness
from services.routing.known import known_of
from services.routing.looked import kernel_values
from services.routing.rows import rows_of

TERMS = Terms(ridge=2.0, width=1.0, features=0.3, words=0.5, domains=0.4)
FIELDS = ("history", "law", "physics")


def planted(n=60, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 8)).astype(np.float32)
    return rows_of(
        ["small", "large"],
        [f"row {i}" for i in range(n)],
        [f"{rng.integers(9)} of {rng.integers(9)} in {FIELDS[i % 3]}" for i in range(n)],
        rng.random((n, 2)),
        vectors=z / np.linalg.norm(z, axis=1, keepdims=True),
        domains=[FIELDS[i % 3] for i in range(n)],
    )


def test_every_part_of_the_kernel_counts():
    rows = planted()
    away = np.random.default_rng(1).standard_normal((60, rows.features.shape[1]))
    ground = ground_of(rows, away, known_of(rows, away, seed=0), TERMS)
    places = np.eye(3)[np.arange(60) % 3]
    z, words = rows.vectors.astype(np.float64), ground.words.toarray()
    kernel = likeness(z @ z.T, away, away, width=1.0, of_features=0.3)
    kernel += 0.5 * words @ words.T + 0.4 * places @ places.T
    mean = rows.labels.mean(axis=0)
    expected = mean + kernel @ np.linalg.solve(kernel + 2.0 * np.eye(60), rows.labels - mean)

    head = fit_kernel(ground, places, rows.labels, TERMS)

    found = kernel_values(head, ground.near, rows.words, places)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_domains_keep_the_mean_of_each_model():
    rows = planted()
    ground = ground_of(rows, rows.features, known_of(rows, rows.features, seed=0), TERMS)

    found = fit_domains(ground, rows, np.array([0.5, 0.5]), TERMS)

    sums = rows.labels[::3].sum(axis=0)
    assert FIELDS == found.names
    np.testing.assert_allclose(found.values[0], (sums + 2.5) / 25.0, rtol=1e-5)
