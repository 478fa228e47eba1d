"""Nine models on thirteen tasks: the published split, test prompts seen in training left out."""

import json
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from bench.decisions import Row, SkippedError
from bench.forms import Line
from bench.routing.calibration import calibration_row
from bench.routing.pairs import EMBEDDING, Split
from bench.routing.recordings import FEWEST, is_published, place, prompts, recorded
from bench.routing.vectors import vectors
from router_svc.choice import best, utilities
from services.routing.dedupe import unseen
from services.routing.evaluate import paired_bootstrap
from services.routing.features import Floats
from services.routing.fit import Options, adequacy, fit, told_by
from services.routing.heads import Ints, group_means
from services.routing.rows import Rows, rows_of

REACH: Final = 0.63
MODELS: Final = 2
"""That there is a choice between."""
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
    title = "llmrouter, nine models, clean test" if is_published(data, "llmrouter") else "llmrouter"
    yield from measured(data, "llmrouter", title)


def measured(data: pathlib.Path, name: str, title: str) -> Iterator[Row]:
    """Quality and calibration.

    Without a published figure the model that is best on the training prompts is to be
    reached, at no higher price than its own.
    """
    given, prices = _given(data, name), _prices(data, name)
    options = _tuned(given.train, prices)
    routing = fit(given.train, EMBEDDING, created="", options=options)
    told = adequacy(routing, given.test)
    ours = chosen(told, given.test.labels, prices)
    known = is_published(data, name)
    single = _single(given, prices, hindsight=known)
    reach = REACH if known else float(np.nanmean(single.quality))
    reached = float(np.nanmean(ours.quality)) >= reach and ours.price <= single.price
    note = _note(given, ours, single, hindsight=known, listed=bool((prices != 1.0).any()))
    if not reached:
        heads = told_by(routing, given.test)
        note += f"; short of it: {_shortfall(given, heads, options, prices)}"
    yield Row(
        f"{title}: quality",
        float(np.nanmean(ours.quality)),
        float(np.nanmean(single.quality)),
        reach,
        reached,
        note,
        _interval(ours.quality - single.quality),
    )
    yield calibration_row(title.rpartition(",")[0] or title, [told], [given.test.labels])


def chosen(told: Floats, labels: Floats, prices: Floats) -> Chosen:
    """The most adequate model, of equal ones the cheaper, as the router's utility has it."""
    still = np.zeros_like(prices)
    worth = [utilities(row, prices, still, price_of_money=0.0) for row in told]
    picked = np.array([best(row, prices, still) for row in worth])
    return Chosen(labels[np.arange(len(labels)), picked], float(prices[picked].mean()))


def scores(lines: Sequence[Line]) -> tuple[list[str], Floats]:
    """Models by name, and how well each did; NaN where it was not judged."""
    names = sorted({name for line in lines for name in line["score"]})
    told = [[line["score"].get(name, np.nan) for name in names] for line in lines]
    return names, np.array(told, dtype=np.float64).reshape(len(lines), len(names))


@cache
def _given(data: pathlib.Path, name: str) -> Split:
    """The recorded split; half of the prompts at random where none is recorded.

    Raises
    ------
    SkippedError
        If either part is too small.
    """
    lines = recorded(data, name)
    (models, labels), texts = scores(lines), prompts(data, name)
    every = rows_of(
        models,
        [str(line.get("id")) for line in lines],
        texts,
        labels,
        vectors=vectors(texts),
        domains=[line.get("task") or "" for line in lines],
    )
    parts = np.array([line.get("split") or "" for line in lines])
    if not {"train", "test"} <= set(parts):
        drawn = np.random.default_rng(0).permutation(len(lines)) % 2
        parts = np.array(["train", "test"])[drawn]
    learned, held = every.only(parts == "train"), every.only(parts == "test")
    fresh = unseen(learned.keys, held.keys)
    tested = held.only(fresh)
    if min(len(learned), len(tested)) < FEWEST or len(models) < MODELS:
        told = f"{name} holds {len(learned)} and {len(tested)} prompts of {len(models)} models"
        raise SkippedError(f"{told} to train and to test on; {FEWEST} of {MODELS} are needed")
    return Split(learned, tested, tested.domains, int((~fresh).sum()))


def _prices(data: pathlib.Path, name: str) -> Floats:
    """Of output, in US dollars per million tokens; all the same where some are not listed."""
    models, _ = scores(recorded(data, name))
    try:
        listed = json.loads((place(data, name).parent / "llmrouter_prices.json").read_text())
        return np.array([float(listed[model]["out"]) for model in models])
    except (OSError, ValueError, KeyError, TypeError):
        return np.ones(len(models))


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
    return float(np.nanmean(chosen(told, test.labels, prices).quality))


def _single(given: Split, prices: Floats, *, hindsight: bool) -> Chosen:
    """The model that is best on the test prompts, as published, or else on the training prompts."""
    means = np.nanmean((given.test if hindsight else given.train).labels, axis=0)
    at = int(np.nanargmax(means))
    return Chosen(given.test.labels[:, at], float(prices[at]))


def _by_task(given: Split) -> Floats:
    """Smoothed means of the training prompts of the same task."""
    train, names = given.train, sorted(set(given.train.domains))
    group = np.array([names.index(task) for task in train.domains])
    prior = np.nanmean(train.labels, axis=0)
    means, _ = group_means(group, len(names) + 1, train.labels, prior, 5.0)
    at = {task: nth for nth, task in enumerate(names)}
    return means[[at.get(task, len(names)) for task in given.test.domains]]


def _by_neighbours(given: Split) -> Floats:
    found: Floats = np.nan_to_num(given.train.labels)[_nearest(given)].mean(axis=1)
    return found


def _nearest(given: Split) -> Ints:
    cosines = given.test.vectors @ given.train.vectors.T
    many = min(NEIGHBOURS, len(given.train))
    return np.argpartition(-cosines, many - 1, axis=1)[:, :many]


def _note(given: Split, ours: Chosen, single: Chosen, *, hindsight: bool, listed: bool) -> str:
    oracle = np.nan_to_num(given.test.labels).max(axis=1).mean()
    which = "test" if hindsight else "training"
    alike = " (no prices are listed, so that all are the same)" if not listed else ""
    return (
        f"{len(given.test)} test prompts, {given.dropped} seen in training left out; the task is told; "
        f"mean list price ${ours.price:.2f} per million tokens, of the single model that is best on the "
        f"{which} prompts ${single.price:.2f}{alike}; oracle {oracle:.3f}; interval: 95 %"
    )


def _shortfall(given: Split, heads: dict[str, Floats], options: Options, prices: Floats) -> str:
    """Other methods, the learning curve, what the training prompts promise."""
    labels = np.nan_to_num(given.test.labels)
    ways = {"task means": _by_task(given), "kNN": _by_neighbours(given), **heads}
    tried = [f"{n} {chosen(v, labels, prices).quality.mean():.3f}" for n, v in ways.items()]
    order = np.random.default_rng(0).permutation(len(given.train))
    curve = [
        f"{n:,}: {_quality(given.train.only(order[:n]), given.test, options, prices):.3f}"
        for n in CURVE
        if n < len(order)
    ]
    one, other = _parts(given.train)
    single = np.nanmean(other.labels[:, int(np.nanargmax(np.nanmean(one.labels, axis=0)))])
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
    return paired_bootstrap(lambda at: float(np.nanmean(gain[at])), len(gain))
