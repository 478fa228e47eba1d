"""Holds two trained routers against each other on the same rows. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.artefact import Routing
from services.routing.evaluate import paired_bootstrap
from services.routing.features import Floats
from services.routing.fit import adequacy
from services.routing.measuring import DRAWS, Measured, apgr_interval, measured
from services.routing.rows import Rows

Ints = NDArray[np.intp]
LEAST_LABELS: Final = 20
"""Below which two routers cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Figures of both, and what of their difference is more than chance."""

    n: int
    """Prompts."""
    a: Measured
    b: Measured
    losses: tuple[float, float]
    """Mean log-loss of the predicted adequacies; lower is better."""
    loss_gain: tuple[float, float]
    """95 % interval of that of the second less that of the first."""
    apgr_gain: tuple[float, float] | None
    """The same of APGR; None: there is no curve."""


def compared(
    a: Routing, b: Routing, test: Rows, train: Rows | None, *, pair: tuple[str, str] | None = None
) -> Compared:
    """Measure both on rows that neither has learned from.

    Raises
    ------
    ValueError
        If they know no model in common, or too few labels tell of those.
    """
    common = tuple(name for name in a.names if name in b.names)
    if not common:
        raise ValueError(f"{a.id} and {b.id} know no model in common")
    here = test.of_models(common)
    if (known := int((~np.isnan(here.labels)).sum())) < LEAST_LABELS:
        raise ValueError(f"{known} labels of models that both know; {LEAST_LABELS} are needed")
    figures = [measured(each, test, train, pair=pair) for each in (a, b)]
    if pair is None and figures[0].pair is not None:
        pair = (figures[0].pair.weak, figures[0].pair.strong)
        figures[1] = measured(b, test, train, pair=pair) if set(pair) <= set(common) else figures[1]
    told = [_of(each, here, common) for each in (a, b)]
    losses = [_losses(p, here.labels) for p in told]
    return Compared(
        len(test),
        figures[0],
        figures[1],
        (float(losses[0].mean()), float(losses[1].mean())),
        paired_bootstrap(
            lambda at: float((losses[1] - losses[0])[at].mean()), len(losses[0]), draws=DRAWS
        ),
        _apgr_gain(told, here, pair),
    )


def _of(routing: Routing, rows: Rows, models: tuple[str, ...]) -> Floats:
    """Adequacies of some models, in their order."""
    told = adequacy(routing, rows.of_models(routing.names))
    return told[:, [routing.names.index(name) for name in models]]


def _losses(p: Floats, y: Floats) -> Floats:
    """Mean log-loss of each row that has labels."""
    known = ~np.isnan(y)
    right = np.where(known, y, 0.0)
    each = -(right * np.log(p) + (1.0 - right) * np.log1p(-p))
    counts = known.sum(axis=1)
    sums = np.where(known, each, 0.0).sum(axis=1)
    found: Floats = (sums / np.maximum(counts, 1))[counts > 0]
    return found


def _apgr_gain(
    told: list[Floats], rows: Rows, pair: tuple[str, str] | None
) -> tuple[float, float] | None:
    if pair is None or not set(pair) <= set(rows.models):
        return None
    weak, strong = (rows.models.index(name) for name in pair)
    y = rows.labels[:, [weak, strong]]
    both = np.flatnonzero(~np.isnan(y).any(axis=1))
    if both.size < LEAST_LABELS or not y[both, 1].mean() > y[both, 0].mean():
        return None
    gains = [p[both, strong] - p[both, weak] for p in told]
    return apgr_interval(gains[1], gains[0], y[both])
