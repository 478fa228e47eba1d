"""Fits the heads: logistic regressions for all models at once, and clusters of like prompts."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Floats

ITERATIONS: Final = 200
INITS: Final = 5
ROUNDS: Final = 30
"""Steps of Lloyd's algorithm; it seldom needs more."""

Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Linear:
    """Log-odds of m models: `x @ weights.T + bias`."""

    weights: Floats
    """Shape (m, p)."""
    bias: Floats
    """Shape (m,)."""


def fit_logistic(x: Floats, y: Floats, ridge: Floats) -> Linear:
    """Penalised logistic regressions of all models at once.

    Parameters
    ----------
    x : ndarray of float64, shape (n, p)
    y : ndarray of float64, shape (n, m)
        Quality in [0, 1]; NaN: not known, which counts for nothing.
    ridge : ndarray of float64, shape (p,)
        Penalty of each weight's square, halved; the bias has none but a trace.

    Notes
    -----
    The models share nothing but the design, so that one run of L-BFGS over all
    their weights does what m runs would, with two products of matrices a step.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - training only: serving needs no scipy

    known = ~np.isnan(y)
    target = np.where(known, y, 0.0)
    n, m, p = x.shape[0], y.shape[1], x.shape[1]

    def loss(at: Floats) -> tuple[float, Floats]:
        table = at.reshape(m, p + 1)
        scores = x @ table[:, :p].T + table[:, p]
        told = np.where(known, np.logaddexp(0.0, scores) - target * scores, 0.0).sum()
        pull = np.where(known, 1.0 / (1.0 + np.exp(-np.clip(scores, -700, 700))) - target, 0.0)
        slope = np.empty_like(table)
        slope[:, :p] = pull.T @ x + ridge * table[:, :p]
        slope[:, p] = pull.sum(axis=0) + 1e-3 * table[:, p]
        penalty = 0.5 * float((ridge * table[:, :p] ** 2).sum() + 1e-3 * (table[:, p] ** 2).sum())
        return (float(told) + penalty) / n, slope.ravel() / n

    solved: Any = minimize(
        loss,
        np.zeros(m * (p + 1)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "gtol": 1e-6},
    )
    table = np.asarray(solved.x, dtype=np.float64).reshape(m, p + 1)
    return Linear(table[:, :p], table[:, p])


def how_many_clusters(n: int) -> int:
    """Clusters for n prompts: the square root of n / 6, from 4 to 32."""
    return min(n, int(np.clip(round((n / 6) ** 0.5), 4, 32)))


def kmeans(z: Floats, k: int, *, seed: int) -> Floats:
    """Centres of k groups of unit vectors, as unit rows; the best of some starts.

    References
    ----------
    .. [1] D. Arthur, S. Vassilvitskii. k-means++: The Advantages of Careful
       Seeding. SODA 2007.
    """
    rng = np.random.default_rng(seed)
    runs = [_lloyd(z, _seeds(z, k, rng)) for _ in range(INITS)]
    return max(runs, key=lambda run: run[1])[0]


def _seeds(z: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Starts far from one another, by chance."""
    chosen = [int(rng.integers(len(z)))]
    away = np.full(len(z), np.inf)
    for _ in range(k - 1):
        away = np.minimum(away, np.maximum(0.0, 1.0 - z @ z[chosen[-1]]))
        total = float(away.sum())
        share = away / total if total > 0.0 else np.full(len(z), 1.0 / len(z))
        chosen.append(int(rng.choice(len(z), p=share)))
    return z[chosen].copy()


def _lloyd(z: Floats, centres: Floats) -> tuple[Floats, float]:
    """Move the centres until nothing changes; and how near the prompts are then."""
    last = np.full(len(z), -1)
    for _ in range(ROUNDS):
        cosines = z @ centres.T
        nearest = np.argmax(cosines, axis=1)
        if (nearest == last).all():
            break
        last = nearest
        centres = _means(z, nearest, centres)
    return centres, float((z @ centres.T).max(axis=1).sum())


def _means(z: Floats, nearest: Ints, centres: Floats) -> Floats:
    """Unit means of the groups; an empty group keeps its centre."""
    sums = np.zeros_like(centres)
    np.add.at(sums, nearest, z)
    sizes = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(sizes > 1e-9, sums / np.maximum(sizes, 1e-9), centres)


def group_means(
    group: Ints, k: int, y: Floats, prior: Floats, kappa: float
) -> tuple[Floats, Floats]:
    """Smoothed mean of y by group, and how many labels are behind it.

    Parameters
    ----------
    group : ndarray of intp, shape (n,)
    y : ndarray of float64, shape (n, m), with NaN
    prior : ndarray of float64, shape (m,)
        Counts as `kappa` labels.

    Returns
    -------
    means, counts : ndarray of float64, shape (k, m)
    """
    known = ~np.isnan(y)
    sums, counts = np.zeros((k, y.shape[1])), np.zeros((k, y.shape[1]))
    np.add.at(sums, group, np.where(known, y, 0.0))
    np.add.at(counts, group, known.astype(np.float64))
    return (sums + kappa * prior) / (counts + kappa), counts
