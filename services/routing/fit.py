"""Trains a router: heads, their blend and its calibration, from labelled rows. Needs scipy."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.routing.artefact import Clusters, Embedding, HeldOut, Logistic, ModelFit, Routing
from services.routing.blending import HEADS, error_correlation, weighed
from services.routing.dedupe import grouped_folds
from services.routing.domains import domain_places
from services.routing.features import FEATURE_VERSION, Floats
from services.routing.heads import fit_logistic, group_means, how_many_clusters, kmeans
from services.routing.kernel_fit import Terms, fit_domains, fit_kernel, ground_of
from services.routing.known import known_of, scaling_of
from services.routing.looked import (
    KAPPA,
    Looked,
    calibrated,
    cautious,
    expected_unseen,
    head_logits,
    looked,
    rescaled,
    trust,
)
from services.routing.rows import Rows
from services.routing.tuning import tuned

FOLDS: Final = 5
MAX_HELD_OUT: Final = 2_048
"""Held-out predictions that are kept."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a router is trained."""

    strength: float = 3.0
    """Penalty of the logistic head's weights on the embedding."""
    of_features: float = 30.0
    """Penalty of its weights on the features."""
    of_domains: float = 1.0
    """Penalty of its weights on the domains."""
    terms: Terms | None = None
    """What the kernel goes by; None: what a fifth of the rows chooses."""
    seed: int = 0


def fit(
    rows: Rows, embedding: Embedding, *, created: str, options: Options | None = None
) -> Routing:
    """Learn from rows what each model can do.

    Parameters
    ----------
    rows : Rows
        Embedded; at least one label of each model.
    created : str
        Now, ISO 8601 in UTC.

    Raises
    ------
    ValueError
        If there are no rows, or they are not embedded.
    """
    if not len(rows) or rows.vectors.shape[1] != embedding.dim:
        needed = f"rows with vectors of {embedding.dim} numbers are needed"
        raise ValueError(f"{len(rows)} rows with vectors {rows.vectors.shape}; {needed}")
    chosen = options or Options()
    chosen = replace(chosen, terms=chosen.terms or tuned(rows, seed=chosen.seed))
    whole = _heads(rows, embedding, created, chosen)
    seen_by_none = _out_of_fold(rows, embedding, chosen)
    models = weighed(whole.models, seen_by_none, rows.labels)
    return replace(whole, models=models, held_out=_held_out(models, seen_by_none, rows, chosen))


def _held_out(
    models: tuple[ModelFit, ...], heads: dict[str, Floats], rows: Rows, options: Options
) -> HeldOut | None:
    """The blend of what was told of each row by heads that had not seen it, and its errors."""
    told = ~np.isnan(np.stack(list(heads.values()))).any(axis=(0, 2))
    if not told.any():
        return None
    predicted = np.stack(
        [
            _blended(model, {h: v[told, at] for h, v in heads.items()})
            for at, model in enumerate(models)
        ],
        axis=1,
    )
    some = np.random.default_rng(options.seed).permutation(len(predicted))[:MAX_HELD_OUT]
    return HeldOut(
        predicted[np.sort(some)].astype(np.float32),
        error_correlation(rows.labels[told] - predicted).astype(np.float32),
    )


def _blended(model: ModelFit, heads: dict[str, Floats]) -> Floats:
    """Adequacy by the blend of a model's heads."""
    x = np.stack([model.weights[head] * values for head, values in heads.items()])
    return calibrated(model, x.sum(axis=0) + model.offset)


def _out_of_fold(rows: Rows, embedding: Embedding, options: Options) -> dict[str, Floats]:
    """Log-odds of each head for each row, by heads that had not seen it."""
    fold = grouped_folds(rows.keys, parts=FOLDS, seed=options.seed)
    found = {head: np.full(rows.labels.shape, np.nan) for head in HEADS}
    for held in np.unique(fold):
        if (fold == held).all():
            continue
        learned = _heads(rows.only(fold != held), embedding, "", options)
        for head, values in told_by(learned, _half_told(rows.only(fold == held))).items():
            found[head][fold == held] = values
    return found


def _half_told(rows: Rows) -> Rows:
    """Every other row without its domain: some callers tell it and some do not."""
    return replace(rows, domains=tuple(d if nth % 2 else "" for nth, d in enumerate(rows.domains)))


def told_by(routing: Routing, rows: Rows) -> dict[str, Floats]:
    """Log-odds of each head for rows."""
    return head_logits(routing, _looked(routing, rows))


def _looked(routing: Routing, rows: Rows) -> Looked:
    vectors = rows.vectors.astype(np.float64)
    return looked(routing, vectors, rows.features, rows.words, rows.domains)


def adequacy(routing: Routing, rows: Rows) -> Floats:
    """Predicted adequacy of every model for rows, shape (n, m): `predict` for many at once."""
    prompts = _looked(routing, rows)
    heads = head_logits(routing, prompts)
    columns = []
    for at, model in enumerate(routing.models):
        blended = np.full(len(rows), model.offset)
        for head, weight in model.weights.items():
            blended += weight * heads[head][:, at]
        columns.append(calibrated(model, blended))
    share = trust(routing, prompts)[:, np.newaxis]
    return cautious(np.stack(columns, axis=1), expected_unseen(routing, prompts), share)


def _heads(rows: Rows, embedding: Embedding, created: str, options: Options) -> Routing:
    """All that is learned before the blend; heads weigh the same."""
    prior = _priors(rows.labels)
    terms = options.terms or Terms()
    scaling = scaling_of(rows.features)
    away = rescaled(scaling, rows.features)
    known = known_of(rows, away, seed=options.seed)
    ground = ground_of(rows, away, known, terms)
    domains = fit_domains(ground, rows, prior, terms)
    places = domain_places(domains, ground.near, rows.words, ground.rarity, rows.domains)
    models = tuple(
        ModelFit(
            name=name,
            n_labels=int((~np.isnan(rows.labels[:, at])).sum()),
            prior=float(prior[at]),
            weights=dict.fromkeys(HEADS, 1.0 / len(HEADS)),
            offset=0.0,
            steps=None,
            tokens_p50=_quantile(rows.output_tokens[:, at], 0.5),
            tokens_p90=_quantile(rows.output_tokens[:, at], 0.9),
        )
        for at, name in enumerate(rows.models)
    )
    return Routing(
        created=created,
        data_sha256=rows.digest,
        feature_version=FEATURE_VERSION,
        embedding=embedding,
        models=models,
        scaling=scaling,
        logistic=_logistic(rows, away, places, options),
        clusters=_clusters(rows, prior, options),
        known=known,
        kernel=fit_kernel(ground, places, rows.labels, terms),
        domains=domains,
    )


def _priors(labels: Floats) -> Floats:
    """Share of adequate answers, drawn to one half as if by two more labels."""
    known = ~np.isnan(labels)
    sums = np.where(known, labels, 0.0).sum(axis=0)
    found: Floats = (sums + 1.0) / (known.sum(axis=0) + 2.0)
    return found


def _logistic(rows: Rows, away: Floats, places: Floats, options: Options) -> Logistic:
    x = np.concatenate([rows.vectors.astype(np.float64), away, places], axis=1)
    sizes = d, k, _ = rows.vectors.shape[1], away.shape[1], places.shape[1]
    ridge = np.repeat([options.strength, options.of_features, options.of_domains], sizes)
    found = fit_logistic(x, rows.labels, ridge)
    return Logistic(
        bias=found.bias.astype(np.float32),
        of_vector=found.weights[:, :d].astype(np.float32),
        of_features=found.weights[:, d : d + k].astype(np.float32),
        of_domains=found.weights[:, d + k :].astype(np.float32),
    )


def _clusters(rows: Rows, prior: Floats, options: Options) -> Clusters:
    z = rows.vectors.astype(np.float64)
    centroids = kmeans(z, how_many_clusters(len(rows)), seed=options.seed)
    group, k = np.argmax(z @ centroids.T, axis=1), len(centroids)
    values, counts = group_means(group, k, rows.labels, prior, KAPPA)
    tokens = [
        np.array(
            [
                [_quantile(column[group == c], q) for column in rows.output_tokens.T]
                for c in range(k)
            ]
        ).astype(np.float32)
        for q in (0.5, 0.9)
    ]
    return Clusters(
        centroids=centroids.astype(np.float32),
        values=values.astype(np.float32),
        labels=counts.astype(np.float32),
        tokens_p50=tokens[0],
        tokens_p90=tokens[1],
    )


def _quantile(values: Floats, q: float) -> float:
    """Of what is known; 0 where nothing is."""
    known = values[~np.isnan(values)]
    return float(np.quantile(known, q)) if known.size else 0.0
