"""Fits the heads: logistic regressions for all models at once, and clusters of like prompts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.routing.features import BUCKETS, Floats, Words
from services.routing.kernels import word_weights

ITERATIONS: Final = 200
INITS: Final = 5
ROUNDS: Final = 30
"""Steps of Lloyd's algorithm; it seldom needs more."""

SAMPLE: Final = 4_096
"""Vectors that the starts are tried on."""

Ints = NDArray[np.intp]
Singles = NDArray[np.float32]
Numbers = NDArray[Any]


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
    """Centres of k groups of unit vectors, as unit rows.

    The best of some starts on a sample of the vectors, then moved over all.

    References
    ----------
    .. [1] D. Arthur, S. Vassilvitskii. k-means++: The Advantages of Careful
       Seeding. SODA 2007.
    """
    rng = np.random.default_rng(seed)
    sample = z[np.sort(rng.permutation(len(z))[:SAMPLE])].astype(np.float32)
    runs = [_lloyd(sample, _seeds(sample, k, rng)) for _ in range(INITS)]
    best = max(runs, key=lambda run: run[1])[0]
    return _lloyd(z, best.astype(np.float64))[0]


def _seeds(z: Singles, k: int, rng: np.random.Generator) -> Singles:
    """Starts far from one another, by chance."""
    chosen = [int(rng.integers(len(z)))]
    away = np.full(len(z), np.inf)
    for _ in range(k - 1):
        away = np.minimum(away, np.maximum(0.0, 1.0 - z @ z[chosen[-1]]))
        total = float(away.sum())
        share = away / total if total > 0.0 else np.full(len(z), 1.0 / len(z))
        chosen.append(int(rng.choice(len(z), p=share)))
    return z[chosen].copy()


def _lloyd(z: Numbers, centres: Numbers) -> tuple[Numbers, float]:
    """Move the centres until nothing changes; and how near the prompts are then."""
    last = np.full(len(z), -1)
    for _ in range(ROUNDS):
        nearest = np.argmax(z @ centres.T, axis=1)
        if (nearest == last).all():
            break
        last = nearest
        centres = _means(z, nearest, centres)
    return centres, float((z @ centres.T).max(axis=1).sum())


def _means(z: Numbers, nearest: Ints, centres: Numbers) -> Numbers:
    """Unit means of the groups; an empty group keeps its centre."""
    sums = _members(nearest, len(centres)).astype(z.dtype) @ z
    sizes = np.linalg.norm(sums, axis=1, keepdims=True)
    moved: Numbers = np.where(sizes > 1e-9, sums / np.maximum(sizes, 1e-9), centres)
    return moved


def _members(group: Ints, k: int) -> NDArray[np.bool_]:
    """Which rows belong to which of k groups, shape (k, n)."""
    found: NDArray[np.bool_] = group == np.arange(k)[:, np.newaxis]
    return found


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
    known, member = ~np.isnan(y), _members(group, k).astype(np.float64)
    sums, counts = member @ np.where(known, y, 0.0), member @ known
    return (sums + kappa * prior) / (counts + kappa), counts


def rarity_of(words: Sequence[Words]) -> Floats:
    """What each hashed word weighs for being rare among these texts; 0: none has it."""
    in_texts = np.bincount(np.concatenate([w.places for w in words]), minlength=BUCKETS)
    rare = 1.0 + np.log((1.0 + len(words)) / (1.0 + in_texts))
    found: Floats = np.where(in_texts > 0, rare, 0.0)
    return found


def worded(words: Sequence[Words], rarity: Floats) -> Any:
    """Weighed words of texts as a sparse matrix, shape (n, BUCKETS); (n, 0) where none count."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - training only: serving needs no scipy

    if not rarity.size:
        return csr_array((len(words), 0))
    ends = np.cumsum([0, *(w.places.size for w in words)])
    values = np.concatenate([word_weights(w, rarity) for w in words])
    return csr_array(
        (values, np.concatenate([w.places for w in words]), ends), (len(words), BUCKETS)
    )
