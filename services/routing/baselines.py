"""Plain rules that a router has to be better than: scores, higher means rather the strong model. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.features import FEATURES, Floats
from services.routing.heads import group_means
from services.routing.looked import KAPPA
from services.routing.rows import Rows

NEIGHBOURS: Final = 80
TEMPERATURE: Final = 0.05
"""Of the softmax over likeness that weighs neighbours."""


def baseline_scores(
    train: Rows | None, test: Rows, *, weak: int, strong: int, seed: int = 0
) -> Mapping[str, Floats]:
    """Scores of test rows by rule.

    Parameters
    ----------
    train : Rows, optional
        What rules may learn from; None: those that learn are left out.
    test : Rows
        With labels of both models.
    weak, strong : int
        Index of either model.
    """
    found: dict[str, Floats] = {
        "random": np.random.default_rng(seed).random(len(test)),
        "length": test.features[:, FEATURES.index("length")],
        "oracle": test.labels[:, strong] - test.labels[:, weak],
    }
    if train is None:
        return found
    gap = train.labels[:, strong] - train.labels[:, weak]
    told = ~np.isnan(gap)
    learned, gap = train.only(told), gap[told]
    if not len(learned):
        return found
    if learned.vectors.any():
        found["kNN"] = nearest_means(learned.vectors, test.vectors, gap)
    if all(learned.domains):
        found["domain prior"] = domain_means(learned.domains, test.domains, gap)
    return found


def nearest_means(train: NDArray[np.float32], test: NDArray[np.float32], gap: Floats) -> Floats:
    """Mean of the nearest training rows, the nearer the more, shape (n_test,)."""
    cosines = test @ train.T
    many = min(NEIGHBOURS, len(train))
    top = np.argpartition(-cosines, many - 1, axis=1)[:, :many]
    near = np.take_along_axis(cosines, top, axis=1)
    weight = np.exp((near - near.max(axis=1, keepdims=True)) / TEMPERATURE)
    found: Floats = (weight * gap[top]).sum(axis=1) / weight.sum(axis=1)
    return found


def domain_means(train: Sequence[str], test: Sequence[str], gap: Floats) -> Floats:
    """Smoothed mean of the training rows of the same domain, which somebody must tell."""
    names = sorted({*train, *test})
    group = np.array([names.index(name) for name in train])
    prior = np.array([gap.mean()])
    means, _ = group_means(group, len(names), gap[:, np.newaxis], prior, KAPPA)
    return means[[names.index(name) for name in test], 0]
