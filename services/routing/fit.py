"""Trains a router: heads, their blend and its calibration, from labelled rows. Needs scipy."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.routing.artefact import (
    Clusters,
    Domains,
    Embedding,
    HeldOut,
    Kernel,
    Known,
    Logistic,
    ModelFit,
    Routing,
    Scaling,
)
from services.routing.blending import HEADS, error_correlation, weighed
from services.routing.dedupe import grouped_folds
from services.routing.domains import domain_places
from services.routing.features import FEATURE_VERSION, Floats
from services.routing.heads import (
    Ints,
    fit_kernel,
    fit_logistic,
    group_means,
    how_many_clusters,
    kmeans,
    rarity_of,
    worded,
)
from services.routing.predict import (
    KAPPA,
    calibrated,
    head_logits,
    likeness,
    scaled,
)
from services.routing.rows import Rows

FOLDS: Final = 5
MAX_KNOWN: Final = 1_536
"""Training prompts that are kept to compare with."""
MAX_HELD_OUT: Final = 2_048
"""Held-out predictions that are kept."""
NOVEL_SHARE: Final = 0.05
"""Of the training prompts themselves are this novel to the others."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a router is trained."""

    strength: float = 3.0
    """Penalty of the logistic head's weights on the embedding."""
    of_features: float = 30.0
    """Penalty of its weights on the features."""
    of_domains: float = 1.0
    """Penalty of its weights on the domains."""
    kernel_ridge: float = 12.0
    """Penalty of the kernel head."""
    kernel_width: float = 1.0
    kernel_features: float = 0.2
    """What a scaled feature weighs in the kernel."""
    kernel_words: float = 0.5
    """What the likeness of words weighs in the kernel; 0: nothing."""
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
    chosen = options or Options()
    if not len(rows) or rows.vectors.shape[1] != embedding.dim:
        needed = f"rows with vectors of {embedding.dim} numbers are needed"
        raise ValueError(f"{len(rows)} rows with vectors {rows.vectors.shape}; {needed}")
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
        for head, values in told_by(learned, rows.only(fold == held)).items():
            found[head][fold == held] = values
    return found


def told_by(routing: Routing, rows: Rows) -> dict[str, Floats]:
    """Log-odds of each head for rows."""
    vectors = rows.vectors.astype(np.float64)
    features, places = (
        scaled(routing, rows.features),
        domain_places(routing.domains, vectors, rows.domains),
    )
    return head_logits(routing, vectors, features, rows.words, places)


def adequacy(routing: Routing, rows: Rows) -> Floats:
    """Predicted adequacy of every model for rows, shape (n, m): `predict` for many at once."""
    heads = told_by(routing, rows)
    columns = []
    for at, model in enumerate(routing.models):
        blended = np.full(len(rows), model.offset)
        for head, weight in model.weights.items():
            blended += weight * heads[head][:, at]
        columns.append(calibrated(model, blended))
    return np.stack(columns, axis=1)


def _heads(rows: Rows, embedding: Embedding, created: str, options: Options) -> Routing:
    """All that is learned before the blend; heads weigh the same."""
    prior = _priors(rows.labels)
    domains = _domains(rows, prior)
    scaling = _scaling(rows.features)
    away = np.clip((rows.features - scaling.mean) / scaling.deviation, -5.0, 5.0)
    at = _chosen(len(rows), options.seed)
    known = _known(rows, away, at)
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
        logistic=_logistic(rows, away, domains, options),
        clusters=_clusters(rows, prior, options),
        known=known,
        kernel=_kernel(rows, away, at, options),
        domains=domains,
    )


def _priors(labels: Floats) -> Floats:
    """Share of adequate answers, drawn to one half as if by two more labels."""
    known = ~np.isnan(labels)
    sums = np.where(known, labels, 0.0).sum(axis=0)
    found: Floats = (sums + 1.0) / (known.sum(axis=0) + 2.0)
    return found


def _scaling(features: Floats) -> Scaling:
    deviation = features.std(axis=0)
    return Scaling(
        mean=features.mean(axis=0).astype(np.float32),
        deviation=np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32),
    )


def _logistic(rows: Rows, away: Floats, domains: Domains, options: Options) -> Logistic:
    places = domain_places(domains, rows.vectors.astype(np.float64), rows.domains)
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


def _chosen(n: int, seed: int) -> Ints:
    """Which rows are kept to compare with."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:MAX_KNOWN])


def _known(rows: Rows, away: Floats, at: Ints) -> Known:
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


def _kernel(rows: Rows, away: Floats, at: Ints, options: Options) -> Kernel:
    z = rows.vectors.astype(np.float64)
    table = likeness(
        z @ z[at].T,
        away,
        away[at],
        width=options.kernel_width,
        of_features=options.kernel_features,
    )
    rarity = rarity_of(rows.words) if options.kernel_words else np.zeros(0)
    told = worded(rows.words, rarity)
    table += options.kernel_words * (told @ told[at].T).toarray()
    found = fit_kernel(table, table[at], rows.labels, options.kernel_ridge)
    of_words = options.kernel_words * (told[at].T @ found.weights.T).T
    return Kernel(
        width=options.kernel_width,
        of_features=options.kernel_features,
        bias=found.bias.astype(np.float32),
        weights=found.weights.T.astype(np.float32),
        of_words=of_words.astype(np.float32),
        rarity=rarity.astype(np.float32),
    )


def _domains(rows: Rows, prior: Floats) -> Domains:
    names = sorted(set(rows.domains) - {""})
    if not names:
        empty = np.zeros((0, rows.vectors.shape[1]), dtype=np.float32)
        return Domains((), empty, np.zeros((0, len(rows.models)), dtype=np.float32))
    named = np.array([bool(domain) for domain in rows.domains])
    group = np.array([names.index(domain) for domain in rows.domains if domain], dtype=np.intp)
    sums = np.zeros((len(names), rows.vectors.shape[1]))
    np.add.at(sums, group, rows.vectors[named])
    sizes = np.linalg.norm(sums, axis=1, keepdims=True)
    values, _ = group_means(group, len(names), rows.labels[named], prior, KAPPA)
    centroids = (sums / np.maximum(sizes, 1e-9)).astype(np.float32)
    return Domains(tuple(names), centroids, values.astype(np.float32))
