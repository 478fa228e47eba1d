"""To which fields of knowledge a prompt belongs: as it is told, else by its meaning. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.routing.artefact import Domains
from services.routing.features import Floats

NEARNESS: Final = 20.0
"""Of the softmax over the cosines to the domains, where none is told."""


def domain_places(domains: Domains, vectors: Floats, told: Sequence[str]) -> Floats:
    """How far each prompt belongs to each domain, shape (n, f); rows have sum 1, or no columns.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, d)
    told : sequence of str
        Domain of each prompt; where it is empty or none of these, the nearest
        ones count, the nearer the more.
    """
    if not domains.names:
        return np.zeros((len(told), 0))
    near = np.exp(NEARNESS * (vectors @ domains.centroids.T.astype(np.float64) - 1.0))
    places: Floats = near / near.sum(axis=1, keepdims=True)
    for row, name in enumerate(told):
        if name in domains.names:
            places[row] = [float(name == each) for each in domains.names]
    return places
