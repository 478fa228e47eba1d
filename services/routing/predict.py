"""What a trained router expects of each model for one prompt. Pure, numpy, without the embedding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.probability import MIN_LABELS
from services.routing.artefact import Clusters, ModelFit, Routing
from services.routing.domains import domain_places
from services.routing.features import FEATURES, Floats, Seen, Words

TOP: Final = 3
"""Clusters that are asked."""
SHARPNESS: Final = 9.0
"""Of the softmax over the cosines to the clusters."""
KAPPA: Final = 5.0
"""Labels that a prior counts for."""
COLD: Final = 30
"""Labels below which a model's own outcomes say nothing yet."""
FLOOR: Final = 0.01
"""Adequacies are at least this and at most one minus this."""
NEAREST: Final = 3
"""Training prompts that are named."""
LIMIT: Final = 30.0
"""Log-odds are cut here: beyond, probabilities no longer change."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What to expect of one model."""

    model: str
    adequacy: float
    """Probability of an adequate answer, in [FLOOR, 1 - FLOOR]."""
    low: float
    high: float
    """One standard error to either side, in [0, 1]."""
    calibrated: bool
    """Enough labels stand behind the number."""
    n_labels: int
    cold: bool
    """Too few labels: the adequacy is the prior."""
    tokens_p50: float | None
    """Output tokens, reasoning included; None: unknown."""
    tokens_p90: float | None
    contributions: tuple[tuple[str, float], ...]
    """Log-odds by what gave them, largest first; with `base` they add up to the blend."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What to expect for one prompt."""

    models: tuple[Prediction, ...]
    """As they were asked for."""
    novel: bool
    """Unlike every training prompt, or not to be embedded: priors stand."""
    similarity: float | None
    """Cosine to the nearest training prompt; None without an embedding."""
    nearest: tuple[str, ...]
    """Ids of the nearest training prompts, nearest first."""
    domain: str
    """As the caller said, else the nearest one; empty: none is known."""


def predict(routing: Routing, seen: Seen, models: Sequence[str]) -> Predictions:
    """Adequacy and output tokens of each model for a prompt.

    Parameters
    ----------
    routing : Routing
        What was learned.
    seen : Seen
        The prompt. Without a usable vector every model has its prior.
    models : sequence of str
        In any order; those that the artefact does not know are cold, with
        prior one half.

    Raises
    ------
    ValueError
        If the vector has another length than the artefact's.

    Notes
    -----
    A plug-in router [1]_: heads give log-odds, a stack weighs them (Platt's map
    [2]_ is part of it), an isotonic map may follow. O((m + c + n) d).

    References
    ----------
    .. [1] S. Somerstep et al. CARROT: A Cost Aware Rate Optimal Router.
       arXiv:2502.03261, 2025.
    .. [2] J. Platt. Probabilistic Outputs for Support Vector Machines. 1999.
    """
    vector = usable(routing, seen.vector)
    if vector is None:
        return Predictions(
            tuple(_prior(routing, name) for name in models), True, None, (), seen.domain
        )
    similarity, nearest = _nearest(routing, vector)
    one, features = vector[np.newaxis], scaled(routing, seen.features)
    places = domain_places(routing.domains, one, [seen.domain])
    heads = head_logits(routing, one, features, [seen.words], places)
    place = _place(routing.clusters, vector)
    novel = similarity is not None and similarity < routing.known.novel_below
    parts = _linear_parts(routing, vector, features[0], places[0])
    found = []
    for name in models:
        if name not in routing.names or _is_cold(routing, name):
            found.append(_prior(routing, name))
            continue
        at = routing.names.index(name)
        mine = {head: float(values[0, at]) for head, values in heads.items()}
        found.append(_predicted(routing, at, mine, parts[at], place))
    return Predictions(
        tuple(found), novel, similarity, nearest, seen.domain or _domain(routing, vector)
    )


def usable(routing: Routing, vector: NDArray[np.float32] | None) -> Floats | None:
    """The embedding; None where it is missing, zero or no number.

    Raises
    ------
    ValueError
        If it has another length than the artefact's.
    """
    if vector is None:
        return None
    if vector.shape != (routing.embedding.dim,):
        raise ValueError(f"vector has shape {vector.shape}; ({routing.embedding.dim},) is needed")
    exact = vector.astype(np.float64)
    return exact if np.isfinite(exact).all() and exact.any() else None


def scaled(routing: Routing, features: Floats) -> Floats:
    """Features as deviations from their training mean, shape (n, k); cut at 5."""
    away = (np.atleast_2d(features) - routing.scaling.mean) / routing.scaling.deviation
    return np.clip(away, -5.0, 5.0)


def head_logits(
    routing: Routing, vectors: Floats, features: Floats, words: Sequence[Words], places: Floats
) -> dict[str, Floats]:
    """Log-odds of every head, each of shape (n, m).

    Parameters
    ----------
    features : ndarray of float64, shape (n, k)
        Scaled.
    places : ndarray of float64, shape (n, f)
        By `domain_places`.
    """
    linear, clusters = routing.logistic, routing.clusters
    by_features = features @ linear.of_features.T + places @ linear.of_domains.T
    return {
        "logistic": linear.bias + vectors @ linear.of_vector.T + by_features,
        "clusters": logit(cluster_shares(clusters, vectors) @ clusters.values),
        "kernel": logit(kernel_values(routing, vectors, features, words)),
    }


def kernel_values(
    routing: Routing, vectors: Floats, features: Floats, words: Sequence[Words]
) -> Floats:
    """Probabilities by likeness to the known prompts, shape (n, m); not yet cut to [0, 1]."""
    kernel = routing.kernel
    cosines = (vectors.astype(np.float32) @ routing.unit_known.T).astype(np.float64)
    found: Floats = kernel.bias + likeness(
        cosines,
        features,
        routing.known.features,
        width=kernel.width,
        of_features=kernel.of_features,
    ) @ kernel.weights.astype(np.float64)
    if kernel.rarity.size:
        found += np.array(
            [kernel.of_words[:, w.places] @ word_weights(w, kernel.rarity) for w in words]
        )
    return found


def likeness(
    cosines: Floats, features: Floats, known: Floats, *, width: float, of_features: float
) -> Floats:
    """Gaussian kernel of prompts and known prompts, shape (n, known).

    Parameters
    ----------
    cosines : ndarray of float, shape (n, known)
        Of their unit vectors.
    features, known : ndarray of float, shape (n, k) and (known, k)
        Scaled.

    Examples
    --------
    >>> one = np.array([[1.0]])
    >>> likeness(one, np.zeros((1, 2)), np.zeros((1, 2)), width=1.0, of_features=0.2).tolist()
    [[1.0]]
    """
    squares = (features**2).sum(axis=1)[:, np.newaxis] + (known**2).sum(axis=1)
    apart = np.maximum(0.0, squares - 2.0 * features @ known.T)
    found: Floats = np.exp(-width * (2.0 - 2.0 * cosines + of_features**2 * apart))
    return found


def word_weights(words: Words, rarity: Floats) -> Floats:
    """What each word of a text counts: log-frequency times rarity, of unit length together."""
    weighed = (1.0 + np.log(words.counts.astype(np.float64))) * rarity[words.places]
    size = float(np.linalg.norm(weighed))
    return weighed / size if size > 0.0 else weighed


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


def _prior(routing: Routing, name: str) -> Prediction:
    """What is said of a model without looking at the prompt."""
    if name not in routing.names:
        return Prediction(name, 0.5, 0.0, 1.0, False, 0, True, None, None, ())
    model = routing.models[routing.names.index(name)]
    p = min(max(model.prior, FLOOR), 1.0 - FLOOR)
    spread = float(np.sqrt(p * (1.0 - p) / (KAPPA + 1.0)))
    return Prediction(
        name,
        p,
        max(0.0, p - spread),
        min(1.0, p + spread),
        model.n_labels >= MIN_LABELS,
        model.n_labels,
        _is_cold(routing, name),
        model.tokens_p50 or None,
        model.tokens_p90 or None,
        (("base", float(logit(np.array(p)))),),
    )


def _is_cold(routing: Routing, name: str) -> bool:
    return routing.models[routing.names.index(name)].n_labels < COLD


def _place(clusters: Clusters, vector: Floats) -> Floats:
    return np.asarray(cluster_shares(clusters, vector[np.newaxis])[0])


def _linear_parts(
    routing: Routing, vector: Floats, features: Floats, places: Floats
) -> list[dict[str, float]]:
    """By model: the log-odds that the logistic head owes to each feature, and to the domain."""
    linear = routing.logistic
    table = np.column_stack(
        [linear.of_vector @ vector, linear.of_domains @ places, features * linear.of_features]
    )
    names = ("meaning", "domain", *FEATURES)
    return [dict(zip(names, map(float, row), strict=True)) for row in table]


def _predicted(
    routing: Routing,
    at: int,
    heads: dict[str, float],
    parts: dict[str, float],
    place: Floats,
) -> Prediction:
    model, clusters = routing.models[at], routing.clusters
    total = model.offset + sum(model.weights.get(h, 0.0) * x for h, x in heads.items())
    p = float(calibrated(model, np.array(total)))
    nearby = float(place @ clusters.labels[:, at])
    spread = float(np.sqrt(p * (1.0 - p) / (nearby + KAPPA)))
    return Prediction(
        model.name,
        p,
        max(0.0, p - spread),
        min(1.0, p + spread),
        model.n_labels >= MIN_LABELS,
        model.n_labels,
        False,
        _tokens(clusters.tokens_p50[:, at], place) or model.tokens_p50 or None,
        _tokens(clusters.tokens_p90[:, at], place) or model.tokens_p90 or None,
        _contributions(model, heads, parts, total),
    )


def _tokens(values: Floats, place: Floats) -> float:
    """Mean of logarithms over the clusters around that know it; 0 where none does."""
    known = (values > 0.0) & (place > 0.0)
    if not known.any():
        return 0.0
    return float(np.exp(np.average(np.log(values[known]), weights=place[known])))


def _contributions(
    model: ModelFit, heads: dict[str, float], parts: dict[str, float], total: float
) -> tuple[tuple[str, float], ...]:
    weight = model.weights.get("logistic", 0.0)
    found = {name: weight * value for name, value in parts.items()}
    for head in ("clusters", "kernel"):
        found[head] = model.weights.get(head, 0.0) * heads[head]
    found = {name: value for name, value in found.items() if value}
    found["base"] = total - sum(found.values())
    return tuple(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))


def _nearest(routing: Routing, vector: Floats) -> tuple[float | None, tuple[str, ...]]:
    known = routing.known
    if not known.ids:
        return None, ()
    cosines = routing.unit_known @ vector.astype(np.float32)
    top = min(NEAREST, cosines.size)
    near = np.argpartition(-cosines, top - 1)[:top]
    near = near[np.argsort(-cosines[near], kind="stable")]
    similarity = float(np.clip(cosines[near[0]], -1.0, 1.0))
    return similarity, tuple(known.ids[i] for i in near)


def _domain(routing: Routing, vector: Floats) -> str:
    if not routing.domains.names:
        return ""
    return routing.domains.names[int(np.argmax(routing.domains.centroids @ vector))]
