"""Prompts beside what was learned: likeness, domains, log-odds of the heads. Pure, numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.artefact import Clusters, Kernel, ModelFit, Routing, Scaling
from services.routing.domains import domain_places
from services.routing.features import Floats, Words
from services.routing.kernels import by_words, likeness

TOP: Final = 3
"""Clusters that are asked."""
SHARPNESS: Final = 9.0
"""Of the softmax over the cosines to the clusters."""
KAPPA: Final = 5.0
"""Labels that a prior counts for."""
FLOOR: Final = 0.01
"""Adequacies are at least this and at most one minus this."""
LIMIT: Final = 30.0
"""Log-odds are cut here: beyond, probabilities no longer change."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Prompts, compared with what is known."""

    vectors: Floats
    """Shape (n, d)."""
    features: Floats
    """Shape (n, k), scaled."""
    words: Sequence[Words]
    cosines: Floats
    """Shape (n, known)."""
    near: Floats
    """Shape (n, known): likeness."""
    places: Floats
    """Shape (n, f): how far each belongs to each domain."""


def rescaled(scaling: Scaling, features: Floats) -> Floats:
    """Features as deviations from their training mean, shape (n, k); cut at 5."""
    away = (np.atleast_2d(features) - scaling.mean) / scaling.deviation
    return np.clip(away, -5.0, 5.0)


def looked(
    routing: Routing, vectors: Floats, features: Floats, words: Sequence[Words], told: Sequence[str]
) -> Looked:
    """Compare prompts with what is known.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, d)
        Unit rows.
    features : ndarray of float64, shape (n, k)
    words : sequence of Words, length n
    told : sequence of str, length n
        Domains; empty: unknown.
    """
    kernel, away = routing.kernel, rescaled(routing.scaling, features)
    cosines = (vectors.astype(np.float32) @ routing.unit_known.T).astype(np.float64)
    near = likeness(cosines, away, routing.known.features, width=kernel.width,
                    of_features=kernel.of_features)  # fmt: skip
    places = domain_places(routing.domains, near, words, kernel.rarity, told)
    return Looked(vectors, away, words, cosines, near, places)


def head_logits(routing: Routing, prompts: Looked) -> dict[str, Floats]:
    """Log-odds of every head, each of shape (n, m)."""
    linear, clusters = routing.logistic, routing.clusters
    vectors, places = prompts.vectors, prompts.places
    by_features = prompts.features @ linear.of_features.T + places @ linear.of_domains.T
    by_likeness = kernel_values(routing.kernel, prompts.near, prompts.words, places)
    return {
        "logistic": linear.bias + vectors @ linear.of_vector.T + by_features,
        "clusters": logit(cluster_shares(clusters, vectors) @ clusters.values),
        "kernel": logit(by_likeness),
    }


def unlike_all(routing: Routing, prompts: Looked) -> NDArray[np.bool_]:
    """Which prompts are novel, shape (n,)."""
    found: NDArray[np.bool_] = prompts.cosines.max(axis=1, initial=-1.0) < routing.known.novel_below
    return found


def trust(routing: Routing, prompts: Looked) -> Floats:
    """How far what was learned by likeness holds, shape (n,): 1, and less for novel prompts.

    At the border of novelty still all of it, none where nothing is like the prompt.
    """
    nearest = prompts.cosines.max(axis=1, initial=0.0)
    share = nearest / max(routing.known.novel_below, 1e-6)
    return np.where(unlike_all(routing, prompts), np.clip(share, 0.0, 1.0), 1.0)


def expected_unseen(routing: Routing, prompts: Looked) -> Floats:
    """Adequacies by domain alone, else by model alone, shape (n, m)."""
    if routing.domains.names:
        found = prompts.places @ routing.domains.values.astype(np.float64)
    else:
        found = np.tile([model.prior for model in routing.models], (len(prompts.near), 1))
    return np.clip(found, FLOOR, 1.0 - FLOOR)


def cautious(adequacy: Floats, unseen: Floats, share: Floats) -> Floats:
    """Adequacies, drawn to what is expected of unseen prompts as far as trust is missing."""
    found: Floats = sigmoid(share * logit(adequacy) + (1.0 - share) * logit(unseen))
    return found


def kernel_values(kernel: Kernel, near: Floats, words: Sequence[Words], places: Floats) -> Floats:
    """Probabilities by likeness, words and domains, shape (n, m); not yet cut to [0, 1]."""
    found: Floats = kernel.bias + near @ kernel.weights.astype(np.float64)
    return found + by_words(kernel.of_words, words, kernel.rarity) + places @ kernel.of_domains.T


def cluster_shares(clusters: Clusters, vectors: Floats) -> Floats:
    """How far each vector belongs to each cluster, shape (n, c); at most `TOP` are not 0."""
    cosines = vectors @ clusters.centroids.T.astype(np.float64)
    top = min(TOP, cosines.shape[1])
    least = np.partition(cosines, -top, axis=1)[:, [-top]]
    weight = np.where(cosines >= least, np.exp(SHARPNESS * (cosines - 1.0)), 0.0)
    shares: Floats = weight / weight.sum(axis=1, keepdims=True)
    return shares


def logit(p: Floats) -> Floats:
    """Log-odds of probabilities; 0 and 1 count as `FLOOR` and one minus it."""
    within = np.clip(p, FLOOR, 1.0 - FLOOR)
    found: Floats = np.log(within / (1.0 - within))
    return found


def sigmoid(x: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(x, -LIMIT, LIMIT)))
    return found


def calibrated(model: ModelFit, blended: Floats) -> Floats:
    """Probabilities of blended log-odds, in [FLOOR, 1 - FLOOR]."""
    p = sigmoid(blended)
    if model.steps and model.steps.x:
        p = np.interp(p, model.steps.x, model.steps.y)
    return np.clip(p, FLOOR, 1.0 - FLOOR)
