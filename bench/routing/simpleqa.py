"""Six models of 2026 on SimpleQA: a cascade of the best three, with a limit of output tokens."""

import json
import pathlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from bench.decisions import Row, SkippedError
from bench.routing.calibration import calibration_row
from bench.routing.cascades import Cascade, Given, Price, Recorded, Terms
from bench.routing.hands import said, signals_of
from bench.routing.pairs import EMBEDDING
from bench.routing.recordings import FEWEST, is_published, place, recorded
from bench.routing.splits import interval, percent
from bench.routing.vectors import vectors
from services.routing.dedupe import grouped_folds
from services.routing.features import Floats
from services.routing.fit import adequacy
from services.routing.heads import Ints
from services.routing.rows import Rows, rows_of

TIERS: Final = 3
FOLDS: Final = 5
"""Five seeds together test every prompt once."""
MOST_TOKENS: Final = 16_384
"""Output at which the mesh cuts an answer off (`max_output_tokens`), reasoning included."""
BUDGET_USD: Final = 0.045
ACCURACY: Final = 72.0
VALUES_USD: Final = (0.3, 1.0, 3.0, 10.0)
"""What a right answer may be worth; training prompts choose."""
WORTH: Final = (3.0, 10.0, 30.0, 100.0)
"""The same in prices of the best single model's answer, where no budget is published."""
MODELS: Final = 2
MOSTLY: Final = 0.9
"""Share of the prompts that a model has to have been asked."""
MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Split:
    """What one split gave on its test prompts."""

    test: Ints
    """Its test prompts, by index."""
    given: Given
    best: Floats
    """Whether the model that is best on the training prompts was right, without any limit."""
    best_usd: Floats
    oracle: Floats
    """Whether any of the models was."""
    tiers: tuple[str, ...]
    told: Floats
    """Predicted adequacy of the tiers, shape (n, tiers)."""
    labels: Floats
    """Whether they were right."""


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    title = "SimpleQA, six models of 2026" if is_published(data, "simpleqa") else "SimpleQA"
    yield from measured(data, "simpleqa", title, seeds)


def measured(data: pathlib.Path, name: str, title: str, seeds: Sequence[int]) -> Iterator[Row]:
    """Without published figures the best single model's accuracy is to be reached for its price."""
    found = [_split(data, name, seed, MOST_TOKENS) for seed in seeds]
    usd = float(np.mean([each.given.cost_usd.mean() for each in found]))
    paid = float(np.mean([each.best_usd.mean() for each in found]))
    ours, best = percent([s.given.right for s in found]), percent([s.best for s in found])
    accuracy, most_usd = (ACCURACY, BUDGET_USD) if is_published(data, name) else (best, paid)
    yield Row(
        f"{title}: accuracy by route and cascade",
        ours,
        best,
        accuracy,
        ours >= accuracy,
        _note(found),
        interval([s.test for s in found], [s.given.right - s.best for s in found]),
    )
    yield Row(f"{title}: US dollars a question", usd, paid, most_usd, usd <= most_usd)
    yield calibration_row(
        f"{title.partition(',')[0]}, the three tiers",
        [s.told for s in found],
        [s.labels for s in found],
    )


@cache
def whole(data: pathlib.Path, name: str) -> Recorded:
    """All models as recorded, without a limit; prompts that one of them was not asked are left out.

    Raises
    ------
    SkippedError
        If too few are left.
    """
    lines = recorded(data, name)
    asked = Counter(model for line in lines for model in line["models"])
    models = sorted(model for model, n in asked.items() if n >= MOSTLY * len(lines))
    complete = [line for line in lines if line["models"].keys() >= set(models)]
    if len(complete) < FEWEST or len(models) < MODELS:
        few = f"{name} holds {len(complete)} prompts that {len(models)} models answered"
        raise SkippedError(f"{few}; {FEWEST} of {MODELS} are needed")
    told = [[line["models"][model] for model in models] for line in complete]
    texts = [line["query"] for line in complete]

    def table(field: str) -> Floats:
        return np.array([[each[field] for each in row] for row in told], dtype=np.float64)

    return Recorded(
        rows_of(
            models,
            [str(line.get("id")) for line in complete],
            texts,
            table("score"),
            vectors=vectors(texts),
            costs_usd=table("cost"),
            output_tokens=table("ct"),
        ),
        tuple(
            tuple(said(each["out"] or "", text, each["ct"]) for each in row)
            for row, text in zip(told, texts, strict=True)
        ),
    )


def limited(given: Recorded, prices: dict[str, Price], most_tokens: float) -> Recorded:
    """The same with a limit of output: what is longer is cut off, wrong, and paid up to the limit."""
    rows = given.rows
    over = np.maximum(0.0, rows.output_tokens - most_tokens)
    saved = over * np.array([prices[model].output for model in rows.models])
    kept = replace(
        rows,
        labels=np.where(over > 0.0, 0.0, rows.labels),
        costs_usd=rows.costs_usd - saved,
        output_tokens=rows.output_tokens - over,
    )
    silent = over > 0.0
    heard = tuple(
        tuple(None if is_cut else answer for answer, is_cut in zip(row, cut, strict=True))
        for row, cut in zip(given.said, silent, strict=True)
    )
    return Recorded(kept, heard)


def prices_of(data: pathlib.Path, name: str, rows: Rows) -> dict[str, Price]:
    """List prices; of a model that is not listed, what its output tokens cost on the whole."""
    spent, written = rows.costs_usd.sum(axis=0), np.maximum(1.0, rows.output_tokens.sum(axis=0))
    found = {m: Price(0.0, each) for m, each in zip(rows.models, spent / written, strict=True)}
    try:
        told = json.loads((place(data, name).parent / "frontier_prices.json").read_text())
        listed = {model: told[model] for model in rows.models if model in told}
        return found | {
            model: Price(
                each["input_price_per_MTok"] / MILLION, each["output_price_per_MTok"] / MILLION
            )
            for model, each in listed.items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return found


@cache
def _split(data: pathlib.Path, name: str, seed: int, most_tokens: float) -> Split:
    every = whole(data, name)
    prices = prices_of(data, name, every.rows)
    rounds, part = divmod(seed, FOLDS)
    fold = grouped_folds(every.rows.keys, parts=FOLDS, seed=rounds)
    train, test = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
    cut = limited(every, prices, most_tokens)
    best = np.argsort(-cut.rows.labels[train].mean(axis=0), kind="stable")[:TIERS]
    names = tuple(every.rows.models[j] for j in best)
    tiers = cut.of(best)
    known = tiers.only(train)
    heard = [answer for row in known.said for answer in row if answer is not None]
    terms = Terms(EMBEDDING, prices, signals_of(heard), most_tokens)
    cascade = Cascade(known, terms, seed=seed)
    asked = tiers.only(test)
    labels, single = every.rows.labels, int(every.rows.labels[train].mean(axis=0).argmax())
    budget, values = BUDGET_USD, VALUES_USD
    if not is_published(data, name):
        budget = float(every.rows.costs_usd[train, single].mean())
        values = tuple(budget * times for times in WORTH)
    given = cascade.asked(asked, cascade.within(budget, values))
    return Split(
        test,
        given,
        labels[test, single],
        every.rows.costs_usd[test, single],
        labels[test].max(axis=1),
        names,
        adequacy(cascade.routing, asked.rows),
        asked.rows.labels,
    )


def _note(found: Sequence[Split]) -> str:
    calls = np.mean([each.given.calls.mean() for each in found])
    spread = np.std([100.0 * each.given.right.mean() for each in found])
    return (
        f"{len(found)} folds of {FOLDS}, ± {spread:.1f}; baseline: the best single "
        f"model without a limit; oracle {percent([each.oracle for each in found]):.1f}; tiers: "
        f"{', '.join(found[0].tiers)}; answers longer than {MOST_TOKENS:,} tokens are cut off, paid "
        f"up to there and wrong; {calls:.2f} calls a question; interval: 95 %"
    )
