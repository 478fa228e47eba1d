"""Which training prompts are kept to compare with, and on what scale their features are. Pure."""

from typing import Final

import numpy as np

from services.routing.artefact import Known, Scaling
from services.routing.features import Floats
from services.routing.rows import Rows

MAX_KNOWN: Final = 1_536
"""Training prompts that are kept."""
NOVEL_SHARE: Final = 0.05
"""Of the training prompts themselves are this novel to the others."""


def scaling_of(features: Floats) -> Scaling:
    """What brings features to mean 0 and deviation 1; constant ones stay."""
    deviation = features.std(axis=0)
    return Scaling(
        mean=features.mean(axis=0).astype(np.float32),
        deviation=np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32),
    )


def known_of(rows: Rows, away: Floats, *, seed: int) -> Known:
    """Some of the rows, at random where they are many.

    Parameters
    ----------
    away : ndarray of float64, shape (n, k)
        Their features, rescaled.
    """
    at = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MAX_KNOWN])
    z = rows.vectors[at]
    cosines = z @ z.T
    np.fill_diagonal(cosines, -1.0)
    nearest = cosines.max(axis=1, initial=-1.0)
    return Known(
        ids=tuple(rows.ids[i] for i in at),
        vectors=np.rint(z * 127.0).astype(np.int8),
        features=away[at].astype(np.float32),
        novel_below=float(np.clip(np.quantile(nearest, NOVEL_SHARE), -1.0, 1.0)),
    )
