"""Splits rows, trains a router on one part, and measures it on the other. Needs scipy."""

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from services.core.probability import MIN_LABELS
from services.routing.artefact import Embedding, ModelFit, Routing
from services.routing.dedupe import unseen
from services.routing.fit import fit
from services.routing.measuring import Measured, measured
from services.routing.predict import COLD
from services.routing.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows to learn from, and rows to measure on."""

    train: Rows
    test: Rows | None
    """None: there are none."""
    dropped: int
    """Rows to measure on that were left out: their prompt is among those to learn from."""


def split(rows: Rows, *, hold_out: float, seed: int) -> Split:
    """Hold a random share of the rows out; of prompts on both sides the held-out row is dropped."""
    many = round(hold_out * len(rows))
    if not many:
        return Split(rows, None, 0)
    at = np.random.default_rng(seed).permutation(len(rows))
    train, held = rows.only(np.sort(at[many:])), rows.only(np.sort(at[:many]))
    fresh = unseen(train.keys, held.keys)
    test = held.only(fresh) if fresh.any() else None
    return Split(train, test, int((~fresh).sum()))


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained router, and what it is worth."""

    routing: Routing
    measured: Measured | None
    """None: no rows were held out."""


def trained(parts: Split, embedding: Embedding, *, created: str) -> Trained:
    """Learn from one part and measure on the other; nothing is fitted on what is held out.

    Raises
    ------
    ValueError
        If there are no rows to learn from, or they are not embedded.
    """
    routing = fit(parts.train, embedding, created=created)
    if parts.test is None:
        return Trained(routing, None)
    found = measured(routing, parts.test, parts.train, dropped=parts.dropped)
    return Trained(replace(routing, scores=scores(found)), found)


def scores(found: Measured) -> dict[str, float]:
    """What the artefact keeps of it: numbers by name, those alone that are known."""
    told = {"rows": float(found.n)}
    if found.pair is not None:
        ours = found.pair.curves["router"]
        told |= {"apgr": ours.apgr, "cpt50": ours.cpt(0.5), "cpt80": ours.cpt(0.8)}
        told |= {f"apgr {name}": each.apgr for name, each in found.pair.curves.items()}
        del told["apgr router"]
    if found.fits:
        told["ece"] = float(
            np.average([f.ece for f in found.fits], weights=[f.n for f in found.fits])
        )
    if found.frontier is not None:
        told["cost_at_equal_quality_usd"] = found.frontier.cost_at_equal_quality
        told["best_cost_usd"] = found.frontier.best_cost_usd
    return {name: float(value) for name, value in told.items() if isfinite(value)}


def warnings(routing: Routing) -> list[str]:
    """Models of which too little was learned, each with the counts."""
    return [told for model in routing.models if (told := _warning(model))]


def _warning(model: ModelFit) -> str:
    if model.n_labels < COLD:
        few = f"{model.n_labels} labels; {COLD} are needed"
        return f"{model.name} is cold, and goes by its prior {model.prior:.2f}: {few}"
    if model.n_labels < MIN_LABELS:
        return f"{model.name} is uncalibrated: {model.n_labels} labels; {MIN_LABELS} are needed"
    return ""
