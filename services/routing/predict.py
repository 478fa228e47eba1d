"""What a trained router expects of each model for one prompt. Pure, numpy, without the embedding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.probability import MIN_LABELS
from services.routing.artefact import ModelFit, Routing
from services.routing.features import FEATURES, Floats, Seen
from services.routing.looked import (
    FLOOR,
    KAPPA,
    Looked,
    calibrated,
    cautious,
    cluster_shares,
    expected_unseen,
    head_logits,
    logit,
    looked,
    trust,
    unlike_all,
)

COLD: Final = 30
"""Labels below which a model's own outcomes say nothing yet."""
NEAREST: Final = 3
"""Training prompts that are named."""


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
    """Unlike every training prompt, so that priors count the more; or not to be embedded."""
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
    prompt = looked(routing, vector[np.newaxis], seen.features, [seen.words], [seen.domain])
    similarity, nearest = _nearest(routing, prompt.cosines[0])
    novel = bool(unlike_all(routing, prompt)[0])
    told = _told(routing, prompt)
    found = tuple(
        told[name] if name in told and not _is_cold(routing, name) else _prior(routing, name)
        for name in models
    )
    return Predictions(found, novel, similarity, nearest, seen.domain or _domain(routing, prompt))


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


def _told(routing: Routing, prompt: Looked) -> dict[str, Prediction]:
    """By model, by what was learned of prompts like this one."""
    heads, parts = head_logits(routing, prompt), _linear_parts(routing, prompt)
    place = cluster_shares(routing.clusters, prompt.vectors)[0]
    unseen, share = expected_unseen(routing, prompt)[0], float(trust(routing, prompt)[0])
    found = {}
    for at, name in enumerate(routing.names):
        mine = {head: float(x[0, at]) for head, x in heads.items()}
        one = _predicted(routing, at, mine, parts[at], place)
        found[name] = one if share == 1.0 else _drawn(one, float(unseen[at]), share)
    return found


def _drawn(found: Prediction, unseen: float, share: float) -> Prediction:
    """The prediction for a novel prompt."""
    p = float(cautious(np.array(found.adequacy), np.array(unseen), np.array(share)))
    spread = float(np.sqrt(p * (1.0 - p) / (KAPPA + 1.0)))
    scaled = [(name, share * value) for name, value in found.contributions]
    unlike = ("novelty", (1.0 - share) * float(logit(np.array(unseen))))
    return replace(
        found,
        adequacy=p,
        low=max(0.0, p - spread),
        high=min(1.0, p + spread),
        contributions=tuple(sorted([*scaled, unlike], key=lambda each: (-abs(each[1]), each[0]))),
    )


def _linear_parts(routing: Routing, prompt: Looked) -> list[dict[str, float]]:
    """By model: the log-odds that the logistic head owes to each feature, and to the domain."""
    linear = routing.logistic
    vector, features, places = prompt.vectors[0], prompt.features[0], prompt.places[0]
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


def _nearest(routing: Routing, cosines: Floats) -> tuple[float | None, tuple[str, ...]]:
    known = routing.known
    if not known.ids:
        return None, ()
    top = min(NEAREST, cosines.size)
    near = np.argpartition(-cosines, top - 1)[:top]
    near = near[np.argsort(-cosines[near], kind="stable")]
    similarity = float(np.clip(cosines[near[0]], -1.0, 1.0))
    return similarity, tuple(known.ids[i] for i in near)


def _domain(routing: Routing, prompt: Looked) -> str:
    if not routing.domains.names:
        return ""
    return routing.domains.names[int(np.argmax(prompt.places[0]))]
