"""Ridge regression on tens of thousands of features at once. Pure, but needs scipy's matrices."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Floats

ROUNDS: Final = 60
TOLERANCE: Final = 1e-3
"""Of the residual's length, as a share of the target's."""
TINY: Final = np.float32(1e-30)

Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Features of n rows, in parts; their products are the kernel."""

    near: Singles
    """Shape (n, k): Nystrom's of the likeness to known prompts."""
    words: Any
    """Sparse, shape (n, b), float32."""
    places: Singles
    """Shape (n, f): of the domains."""

    def only(self, at: NDArray[np.bool_]) -> "Design":
        return Design(self.near[at], self.words[at], self.places[at])


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Of each part of a design, for m targets."""

    near: Floats
    """Shape (k, m)."""
    words: Floats
    """Shape (b, m)."""
    places: Floats
    """Shape (f, m)."""
    bias: Floats
    """Shape (m,)."""


def regressed(design: Design, y: Floats, ridge: float, *, tolerance: float = TOLERANCE) -> Weights:
    """Penalised least squares of all targets.

    Parameters
    ----------
    y : ndarray of float64, shape (n, m)
        NaN: not known, which counts for nothing.
    ridge : float
        Penalty, > 0: the variance of a label over that of the truth.
    tolerance : float
        Residual at which to stop, as a share of the target.

    Notes
    -----
    The posterior mean of a Gaussian process [1]_ whose kernel is the design's,
    by conjugate gradients in its dual; targets known on the same rows share the
    products. O(rounds n (k + words + f) m); memory grows with n, not its square.

    References
    ----------
    .. [1] C. Rasmussen, C. Williams. Gaussian Processes for Machine Learning,
       ch. 2 and 8. 2006.
    """
    known = ~np.isnan(y)
    sizes = (design.near.shape[1], design.words.shape[1], design.places.shape[1])
    near, words, places = (np.zeros((size, y.shape[1])) for size in sizes)
    bias = np.zeros(y.shape[1])
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for nth, rows in enumerate(patterns.T):
        at = np.flatnonzero(which.ravel() == nth)
        if not rows.any():
            continue
        part, told = design if rows.all() else design.only(rows), y[np.ix_(rows, at)]
        bias[at] = told.mean(axis=0)
        dual = _solved(part, (told - bias[at]).astype(np.float32), ridge, tolerance)
        near[:, at], words[:, at] = part.near.T @ dual, part.words.T @ dual
        places[:, at] = part.places.T @ dual
    return Weights(near, words, places, bias)


def _solved(design: Design, y: Singles, ridge: float, tolerance: float) -> Singles:
    """The dual of the targets, each column by itself, all in step."""
    transposed = design.words.T.tocsr()
    found, rest = np.zeros_like(y), y.copy()
    towards, size = rest.copy(), _squares(rest)
    enough = tolerance**2 * size
    for _ in range(ROUNDS):
        if (size <= enough).all():
            break
        bent = np.float32(ridge) * towards + design.near @ (design.near.T @ towards)
        bent += design.words @ (transposed @ towards)
        bent += design.places @ (design.places.T @ towards)
        step = size / np.maximum((towards * bent).sum(axis=0), TINY)
        found += step * towards
        rest -= step * bent
        last, size = size, _squares(rest)
        towards = (rest + size / np.maximum(last, TINY) * towards).astype(np.float32)
    return found


def _squares(table: Singles) -> Singles:
    found: Singles = (table**2).sum(axis=0)
    return found
