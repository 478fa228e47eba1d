"""Measures a trained router on rows that it had not seen, beside plain rules and the oracle. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.calibration.measures import ece, ece_of_the_perfect
from services.core.probability import MIN_LABELS
from services.routing.artefact import Routing
from services.routing.baselines import baseline_scores
from services.routing.evaluate import Curve, cost_at_quality, curve, paired_bootstrap
from services.routing.features import Floats
from services.routing.fit import adequacy
from services.routing.rows import Rows

DRAWS: Final = 200
"""Bootstrap samples."""
LEAST_PAIRS: Final = 20
"""Prompts judged for both models below which a curve of eleven points says nothing."""
PRICES: Final = 200
"""Weights of money that are tried along the frontier."""

Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well the predicted adequacy of one model fits its labels."""

    model: str
    n: int
    quality: float
    """Mean of the labels."""
    predicted: float
    """Mean of the predictions."""
    ece: float
    perfect: float
    """95 % quantile of the same error for a predictor whose probabilities are true."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A weak and a strong model, and what choosing between them is worth by each rule."""

    weak: str
    strong: str
    n: int
    curves: Mapping[str, Curve]
    """`router`, and the plain rules."""
    gains: Mapping[str, tuple[float, float]]
    """By plain rule: 95 % interval of the router's APGR less that of the rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """What the models cost and are worth together, as the weight of money falls."""

    costs_usd: Floats
    """Mean of a prompt, ascending."""
    qualities: Floats
    n: int
    best: str
    """The best model alone."""
    best_cost_usd: float
    best_quality: float

    @property
    def cost_at_equal_quality(self) -> float:
        """Least mean cost at which the router is as good as the best model; NaN: never."""
        return cost_at_quality(self.costs_usd, self.qualities, self.best_quality)


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it."""

    n: int
    """Rows that were measured on."""
    dropped: int
    """Rows that were not, because the router had learned from the same prompt."""
    fits: tuple[Fit, ...]
    pair: Pair | None
    frontier: Frontier | None
    notes: tuple[str, ...]
    """What could not be measured, and why."""


def measured(
    routing: Routing,
    test: Rows,
    train: Rows | None,
    *,
    dropped: int = 0,
    pair: tuple[str, str] | None = None,
) -> Measured:
    """Measure a router.

    Parameters
    ----------
    routing : Routing
    test : Rows
        Embedded; none of them learned from.
    train : Rows, optional
        What plain rules may learn from.
    pair : (str, str), optional
        Weak and strong model; unset: the worst and the best of those labelled.

    Raises
    ------
    ValueError
        If the router knows none of the models, or not the pair.
    """
    test = test.of_models(routing.names)
    learned = None if train is None else train.of_models(routing.names)
    told = adequacy(routing, test)
    fits = tuple(f for at in range(len(routing.names)) if (f := _fit(routing, told, test, at)))
    notes = _few(routing, fits)
    found, why_not = _pair(told, test, learned, pair or _ends(fits))
    frontier, no_frontier = _frontier(told, test, learned)
    notes += [why for why in (why_not, no_frontier) if why]
    return Measured(len(test), dropped, fits, found, frontier, tuple(notes))


def _fit(routing: Routing, told: Floats, test: Rows, at: int) -> Fit | None:
    labels = test.labels[:, at]
    known = ~np.isnan(labels)
    if not known.any():
        return None
    p, y = told[known, at], labels[known]
    return Fit(
        routing.names[at],
        int(known.sum()),
        float(y.mean()),
        float(p.mean()),
        ece(p, y),
        ece_of_the_perfect(p, seed=0, draws=DRAWS),
    )


def _few(routing: Routing, fits: Sequence[Fit]) -> list[str]:
    judged = {fit.model: fit.n for fit in fits}
    return [
        f"{name} has {judged.get(name, 0)} labels here; below {MIN_LABELS} its figures are chance"
        for name in routing.names
        if judged.get(name, 0) < MIN_LABELS
    ]


def _ends(fits: Sequence[Fit]) -> tuple[str, str] | None:
    """The worst and the best model, of those with enough labels if two have."""
    enough = [fit for fit in fits if fit.n >= MIN_LABELS]
    ranked = sorted(enough if len(enough) > 1 else fits, key=lambda fit: fit.quality)
    return (ranked[0].model, ranked[-1].model) if len(ranked) > 1 else None


def _pair(
    told: Floats, test: Rows, train: Rows | None, models: tuple[str, str] | None
) -> tuple[Pair | None, str]:
    """Curves of choosing between two models, or why there are none."""
    if models is None:
        return None, "no curve: fewer than two models have labels"
    if strange := [name for name in models if name not in test.models]:
        raise ValueError(f"the router knows nothing of {', '.join(strange)}")
    weak, strong = (test.models.index(name) for name in models)
    both = np.flatnonzero(~np.isnan(test.labels[:, [weak, strong]]).any(axis=1))
    if both.size < LEAST_PAIRS:
        few = f"{both.size} prompts are judged for both {models[0]} and {models[1]}"
        return None, f"no curve: {few}; {LEAST_PAIRS} are needed"
    rows, gain = test.only(both), told[both, strong] - told[both, weak]
    scores = {"router": gain, **baseline_scores(train, rows, weak=weak, strong=strong)}
    y = rows.labels[:, [weak, strong]]
    curves = {name: curve(score, y[:, 0], y[:, 1]) for name, score in scores.items()}
    gains = {
        name: apgr_interval(gain, score, y) for name, score in scores.items() if name != "router"
    }
    note = "" if curves["router"].strong > curves["router"].weak else _no_gap(*models)
    return Pair(*models, len(rows), curves, gains), note


def _no_gap(weak: str, strong: str) -> str:
    return f"{strong} is not better than {weak} here, so that there is no gap to recover: no APGR"


def apgr_interval(ours: Floats, other: Floats, y: Floats) -> tuple[float, float]:
    """95 % interval of the difference in APGR, drawn over prompts; NaN where there is no gap."""
    if not y[:, 1].mean() > y[:, 0].mean():
        return float("nan"), float("nan")

    def gain(at: Ints) -> float:
        weak, strong = y[at, 0], y[at, 1]
        return curve(ours[at], weak, strong).apgr - curve(other[at], weak, strong).apgr

    return paired_bootstrap(gain, len(y), draws=DRAWS)


def _frontier(told: Floats, test: Rows, train: Rows | None) -> tuple[Frontier | None, str]:
    """Cost and quality over all models as money weighs less, or why there are none."""
    known = ~np.isnan(test.labels) & ~np.isnan(test.costs_usd)
    models = np.flatnonzero(known.any(axis=0))
    if len(models) < 2:
        return (
            None,
            f"no cost at equal quality: costs are known of {len(models)} models; 2 are needed",
        )
    whole = known[:, models].all(axis=1)
    if whole.sum() < LEAST_PAIRS:
        seen = f"{whole.sum()} prompts have quality and cost of all {len(models)} models"
        return None, f"no cost at equal quality: {seen}; {LEAST_PAIRS} are needed"
    p, y, c = (table[whole][:, models] for table in (told, test.labels, test.costs_usd))
    expected = mean_costs(test if train is None else train)[models]
    expected = np.where(np.isnan(expected), c.mean(axis=0), expected)
    costs, qualities = frontier(p, y, c, expected)
    best = int(np.lexsort((c.mean(axis=0), -y.mean(axis=0)))[0])
    name, alone = test.models[models[best]], (float(c[:, best].mean()), float(y[:, best].mean()))
    return Frontier(costs, qualities, len(p), name, *alone), ""


def mean_costs(rows: Rows) -> Floats:
    """Mean cost of a prompt by model, shape (m,); NaN where none is known."""
    known = ~np.isnan(rows.costs_usd)
    sums, counts = np.where(known, rows.costs_usd, 0.0).sum(axis=0), known.sum(axis=0)
    found: Floats = np.divide(sums, counts, out=np.full(sums.size, np.nan), where=counts > 0)
    return found


def frontier(p: Floats, y: Floats, cost: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Mean cost and quality of the choice that is worth most, as money weighs ever less.

    Parameters
    ----------
    p, y, cost : ndarray of float64, shape (n, m)
        Predicted and real quality, and real cost.
    expected : ndarray of float64, shape (m,)
        Cost by which models are chosen.

    Returns
    -------
    costs, qualities : ndarray of float64, shape (k,)
        By cost, ascending.
    """
    dearest = max(float(expected.max()), 1e-12)
    weights = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, PRICES) / dearest])
    rows = np.arange(len(p))
    points = set()
    for weight in weights:
        chosen = np.argmax(p - weight * expected, axis=1)
        points.add((float(cost[rows, chosen].mean()), float(y[rows, chosen].mean())))
    found = np.array(sorted(points))
    return found[:, 0], found[:, 1]
