"""Nine models on thirteen tasks: the published split, test prompts seen in training left out."""

import json
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from bench.decisions import Row
from bench.routing.calibration import calibration_row
from bench.routing.pairs import EMBEDDING, Split
from bench.routing.recordings import recording
from bench.routing.vectors import vectors
from router_svc.choice import best, utilities
from services.routing.dedupe import unseen
from services.routing.evaluate import paired_bootstrap
from services.routing.features import Floats
from services.routing.fit import Options, adequacy, fit, told_by
from services.routing.heads import Ints, group_means
from services.routing.rows import Rows, rows_of

REACH: Final = 0.63
NEIGHBOURS: Final = 40
CURVE: Final = (645, 1_290, 2_580)
TRIED: Final = (Options(), Options(strength=30.0, of_features=100.0))
"""A fifth of the training prompts chooses among them."""


@dataclass(frozen=True)
class Chosen:
    """What a way to choose a model came to on the test prompts."""

    quality: Floats
    price: float
    """Mean list price of the chosen models, US dollars per million tokens."""


def rows(data: pathlib.Path, _seeds: Sequence[int]) -> Iterator[Row]:
    """One split, as published: seeds change nothing."""
    given, prices = _given(data), _prices(data)
    options = _tuned(given.train, prices)
    routing = fit(given.train, EMBEDDING, created="", options=options)
    told = adequacy(routing, given.test)
    ours = chosen(told, given.test.labels, prices)
    single = _single(given, prices)
    reached = float(ours.quality.mean()) >= REACH and ours.price <= single.price
    note = _note(given, ours, single)
    if not reached:
        heads = told_by(routing, given.test)
        note += f"; short of it: {_shortfall(given, heads, options, prices)}"
    yield Row(
        "llmrouter, nine models, clean test: quality",
        float(ours.quality.mean()),
        float(single.quality.mean()),
        REACH,
        reached,
        note,
        _interval(ours.quality - single.quality),
    )
    yield calibration_row("llmrouter, nine models", [told], [given.test.labels])


def chosen(told: Floats, labels: Floats, prices: Floats) -> Chosen:
    """The most adequate model, of equal ones the cheaper, as the router's utility has it."""
    still = np.zeros_like(prices)
    worth = [utilities(row, prices, still, price_of_money=0.0) for row in told]
    picked = np.array([best(row, prices, still) for row in worth])
    return Chosen(labels[np.arange(len(labels)), picked], float(prices[picked].mean()))


@cache
def _given(data: pathlib.Path) -> Split:
    lines = recording(data, "llmrouter")
    models, texts = sorted(lines[0]["score"]), [line["prompt"] for line in lines]
    every = rows_of(
        models,
        [line["id"] for line in lines],
        texts,
        np.array([[line["score"][model] for model in models] for line in lines], dtype=np.float64),
        vectors=vectors(texts),
        domains=[line["task"] for line in lines],
    )
    parts = np.array([line["split"] for line in lines])
    learned, held = every.only(parts == "train"), every.only(parts == "test")
    fresh = unseen(learned.keys, held.keys)
    tested = held.only(fresh)
    return Split(learned, tested, tested.domains, int((~fresh).sum()))


def _prices(data: pathlib.Path) -> Floats:
    listed = json.loads((data / "routing/llmrouter_prices.json").read_text())
    models = sorted(recording(data, "llmrouter")[0]["score"])
    return np.array([listed[model]["out"] for model in models])


def _tuned(train: Rows, prices: Floats) -> Options:
    """The options that do best on a fifth of the training prompts."""
    one, other = _parts(train)
    return max(TRIED, key=lambda options: _quality(one, other, options, prices))


def _parts(train: Rows) -> tuple[Rows, Rows]:
    order = np.random.default_rng(0).permutation(len(train))
    held = len(train) // 5
    return train.only(order[held:]), train.only(order[:held])


def _quality(train: Rows, test: Rows, options: Options, prices: Floats) -> float:
    told = adequacy(fit(train, EMBEDDING, created="", options=options), test)
    return float(chosen(told, test.labels, prices).quality.mean())


def _single(given: Split, prices: Floats) -> Chosen:
    """The model that is best on the test prompts, as published."""
    means = given.test.labels.mean(axis=0)
    at = int(means.argmax())
    return Chosen(given.test.labels[:, at], float(prices[at]))


def _by_task(given: Split) -> Floats:
    """Smoothed means of the training prompts of the same task."""
    train, names = given.train, sorted(set(given.train.domains))
    group = np.array([names.index(task) for task in train.domains])
    means, _ = group_means(group, len(names), train.labels, train.labels.mean(axis=0), 5.0)
    return means[[names.index(task) for task in given.test.domains]]


def _by_neighbours(given: Split) -> Floats:
    near = _nearest(given)
    found: Floats = given.train.labels[near].mean(axis=1)
    return found


def _nearest(given: Split) -> Ints:
    cosines = given.test.vectors @ given.train.vectors.T
    return np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]


def _note(given: Split, ours: Chosen, single: Chosen) -> str:
    oracle = given.test.labels.max(axis=1).mean()
    return (
        f"{len(given.test)} test prompts, {given.dropped} seen in training left out; the task is told; "
        f"mean list price ${ours.price:.2f} per million tokens, of the best single model "
        f"${single.price:.2f}; oracle {oracle:.3f}; interval: 95 %"
    )


def _shortfall(given: Split, heads: dict[str, Floats], options: Options, prices: Floats) -> str:
    """Other methods, the learning curve, what the training prompts promise."""
    labels = given.test.labels
    ways = {"task means": _by_task(given), "kNN": _by_neighbours(given), **heads}
    tried = [f"{n} {chosen(v, labels, prices).quality.mean():.3f}" for n, v in ways.items()]
    order = np.random.default_rng(0).permutation(len(given.train))
    curve = [
        f"{n:,}: {_quality(given.train.only(order[:n]), given.test, options, prices):.3f}"
        for n in CURVE
    ]
    one, other = _parts(given.train)
    single = other.labels[:, int(one.labels.mean(axis=0).argmax())].mean()
    held = _quality(one, other, options, prices)
    tasks = sorted(set(given.test.domains))
    hindsight = sum(
        labels[np.array(given.test.domains) == task].sum(axis=0).max() for task in tasks
    ) / len(labels)
    return (
        f"alone {', '.join(tried)}; by training prompts {', '.join(curve)}; on {len(other):,} held-out "
        f"training prompts {held:.3f} (best single {single:.3f}); the best model of each task, chosen by "
        f"the test itself, {hindsight:.3f}"
    )


def _interval(gain: Floats) -> tuple[float, float]:
    return paired_bootstrap(lambda at: float(gain[at].mean()), len(gain))
