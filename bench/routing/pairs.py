"""A weak and a strong model on recorded prompts: split, train, measure beside baselines."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.decisions import SkippedError
from bench.routing.recordings import FEWEST, prompts, recorded
from bench.routing.vectors import vectors
from services.calibration.measures import ece, ece_of_the_perfect
from services.models.minilm import DIMENSIONS, MODEL
from services.routing.artefact import Embedding
from services.routing.baselines import baseline_scores
from services.routing.dedupe import unseen
from services.routing.evaluate import Curve, curve, paired_bootstrap
from services.routing.features import Floats
from services.routing.fit import Options, adequacy, fit, told_by
from services.routing.looked import sigmoid
from services.routing.rows import Rows, rows_of

EMBEDDING: Final = Embedding("minilm", MODEL[2], DIMENSIONS)
WEAK, STRONG = 0, 1
DRAWS: Final = 200
"""Bootstrap samples of each split."""

Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Training rows, and test rows whose text is not among them."""

    train: Rows
    test: Rows
    """No domain is told of them."""
    domains: tuple[str, ...]
    """Theirs, for the baseline that must be told."""
    dropped: int
    """Test rows that were."""


@dataclass(frozen=True)
class Figures:
    """What one split gave."""

    curves: Mapping[str, Curve]
    """`ours`, the heads alone, and the baselines."""
    interval: tuple[float, float]
    """95 % interval of APGR, ours less that of length."""
    ece: tuple[float, ...]
    """Of the predicted adequacy, by model."""
    perfect: tuple[float, ...]
    """95 % quantile of the same for a predictor whose probabilities are true."""
    dropped: int


@cache
def pair_rows(data: pathlib.Path, name: str) -> Rows:
    """A recording of two models, embedded; contaminated prompts are left out.

    Raises
    ------
    SkippedError
        If too few prompts are left, or the strong model is not the better one.
    """
    given, texts = recorded(data, name), prompts(data, name)
    clean = np.array([not row.get("contaminated") for row in given], dtype=bool)
    labels = np.array([[row["weak"], row["strong"]] for row in given]).reshape(-1, 2)
    weak, strong = labels[clean].mean(axis=0) if clean.any() else (0.0, 0.0)
    if clean.sum() < FEWEST or strong <= weak:
        told = f"{name} holds {clean.sum()} clean prompts (weak {weak:.3f}, strong {strong:.3f})"
        raise SkippedError(f"{told}; {FEWEST}, and a better strong model, are needed")
    every = rows_of(
        ["weak", "strong"],
        [str(row.get("id")) for row in given],
        texts,
        labels.astype(np.float64),
        vectors=vectors(texts),
        domains=[row.get("domain") or "" for row in given],
    )
    return every.only(clean)


def enough(rows: Rows, labels: int) -> int:
    """So many training rows, or half of them where that is less."""
    return min(labels, len(rows) // 2)


def splits(rows: Rows, labels: int, seeds: Sequence[int]) -> Iterator[Split]:
    """Random training rows of this number for each seed, and all others."""
    for seed in seeds:
        at = np.random.default_rng(seed).permutation(len(rows))
        yield split(rows, at[:labels], at[labels:])


def halves(rows: Rows, seeds: Sequence[int]) -> Iterator[Split]:
    """Both directions of a random split in two for each seed."""
    for seed in seeds:
        one, other = np.array_split(np.random.default_rng(seed).permutation(len(rows)), 2)
        yield split(rows, one, other)
        yield split(rows, other, one)


def split(rows: Rows, train: Ints, test: Ints) -> Split:
    learned, held = rows.only(train), rows.only(test)
    fresh = unseen(learned.keys, held.keys)
    tested = held.only(fresh)
    untold = replace(tested, domains=("",) * len(tested))
    return Split(learned, untold, tested.domains, int((~fresh).sum()))


def figures(given: Split, options: Options | None = None) -> Figures:
    """Train on one part, measure on the other."""
    routing = fit(given.train, EMBEDDING, created="", options=options)
    told, labels = adequacy(routing, given.test), given.test.labels
    with_domain = adequacy(routing, replace(given.test, domains=given.domains))
    scores = {
        "ours": told[:, STRONG] - told[:, WEAK],
        "domain told": with_domain[:, STRONG] - with_domain[:, WEAK],
    }
    for head, values in told_by(routing, given.test).items():
        p = sigmoid(values)
        scores[head] = p[:, STRONG] - p[:, WEAK]
    scores |= baselines(given)
    return Figures(
        {name: curve(score, labels[:, WEAK], labels[:, STRONG]) for name, score in scores.items()},
        _interval(scores["ours"], scores["length"], labels),
        tuple(ece(p, y) for p, y in zip(told.T, labels.T, strict=True)),
        tuple(ece_of_the_perfect(p, seed=0, draws=DRAWS) for p in told.T),
        given.dropped,
    )


def baselines(given: Split) -> Mapping[str, Floats]:
    """Scores of plain rules: higher means rather the strong model."""
    told = replace(given.test, domains=given.domains)
    return baseline_scores(given.train, told, weak=WEAK, strong=STRONG)


def _interval(ours: Floats, length: Floats, labels: Floats) -> tuple[float, float]:
    def gain(at: Ints) -> float:
        weak, strong = labels[at, WEAK], labels[at, STRONG]
        return curve(ours[at], weak, strong).apgr - curve(length[at], weak, strong).apgr

    return paired_bootstrap(gain, len(labels), draws=DRAWS)
