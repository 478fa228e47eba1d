"""MMLU-Pro with the price in the loop: as accurate as the best of 29 models for three fifths of its price."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from bench.decisions import Row, SkippedError
from bench.decisions.pools import lettered
from bench.forms import Line
from bench.routing.calibration import calibration_row
from bench.routing.cascades import CHARS_PER_TOKEN, Cascade, Given, Price, Recorded, Terms
from bench.routing.recordings import FEWEST, choice, is_published, place
from bench.routing.splits import interval, percent
from services.models.words import DIMENSIONS, word_vectors
from services.routing.artefact import Embedding
from services.routing.features import Floats
from services.routing.fit import adequacy
from services.routing.heads import Ints
from services.routing.rows import rows_of

EMBEDDING: Final = Embedding("words", "", DIMENSIONS)
"""Of words alone: 12,000 prompts would take MiniLM a quarter of an hour."""
LABELS: Final = 2_000
TIERS: Final = 4
FIRST: Final = 2
"""The cheapest of them are asked together about every prompt."""
SHARE: Final = 0.6
VALUES_USD: Final = (0.001, 0.002, 0.0025, 0.003, 0.0033, 0.0036, 0.004, 0.0045, 0.005)
"""What a right answer may be worth; training prompts choose."""
WORTH: Final = (0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""The same in prices of the best single model's answer, where nothing is published."""
MODELS: Final = 2

BY_SIZE: Final = {4: 0.1, 8: 0.2, 21: 0.3, 41: 0.8, 80: 0.9, 110: 1.8}
"""US dollars per million tokens of open models with up to so many thousand million weights: list
prices of Together AI as AgentOps-AI/tokencost e7f7c19 (September 2025) has them."""
LISTED: Final = {
    "gemini-1.5-pro-002": (1.25, 5.0),
    "gemini-1.5-flash-002": (0.075, 0.3),
    "DeepSeek-Coder-V2": (0.14, 0.28),
    "jamba-1.5-large": (2.0, 8.0),
    "c4ai-command-r-v01": (0.15, 0.6),
    "Mixtral-8x7B-Instruct-v0.1": (0.6, 0.6),
    "Mixtral-8x7B-v0.1": (0.6, 0.6),
}
"""The same of vendors, in and out, from the same list; Mixtral from `llmrouter_prices.json`."""
WEIGHTS: Final = {
    "Llama-2-13b-hf": 13,
    "Llama-2-70b-hf": 70,
    "Llama-2-7b-hf": 7,
    "Meta-Llama-3-70B": 70,
    "Meta-Llama-3-8B": 8,
    "Meta-Llama-3_1-70B": 70,
    "Meta-Llama-3_1-70B-Instruct": 70,
    "Meta-Llama-3_1-8B": 8,
    "Meta-Llama-3_1-8B-Instruct": 8,
    "Mistral-7B-Instruct-v0.1": 7,
    "Mistral-7B-Instruct-v0.2": 7,
    "Mistral-7B-v0.1": 7,
    "Mistral-7B-v0.2-hf": 7,
    "Phi-3-mini-4k-instruct": 4,
    "Qwen1.5-110B": 110,
    "Qwen1.5-72B-Chat": 72,
    "Qwen1.5-7B-Chat": 7,
    "Yi-34B": 34,
    "Yi-6B": 6,
    "Yi-6b-Chat": 6,
    "gemma-7b": 8,
    "mathstral-7B": 7,
}
"""In thousand millions."""
MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Split:
    """What one split gave on its test prompts."""

    test: Ints
    """Its test prompts, by index."""
    given: Given
    best: Floats
    """Whether the model that is best on the training prompts was right."""
    best_usd: Floats
    oracle: Floats
    tiers: tuple[str, ...]
    told: Floats
    """Predicted adequacy of the tiers, shape (n, tiers)."""
    labels: Floats
    """Whether they were right."""
    trained: int
    """Prompts that it learned from."""


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    title = "MMLU-Pro, 29 models" if is_published(data, "mmlupro") else "MMLU-Pro"
    yield from measured(data, "mmlupro", title, seeds)


def measured(data: pathlib.Path, name: str, title: str, seeds: Sequence[int]) -> Iterator[Row]:
    found = [_split(data, name, seed) for seed in seeds]
    ours, best = (percent([s.given.right for s in found]), percent([s.best for s in found]))
    share = float(np.mean([each.given.cost_usd.mean() / each.best_usd.mean() for each in found]))
    yield Row(
        f"{title}: accuracy by route and cascade",
        ours,
        best,
        best,
        ours >= best,
        _note(found, listed=are_listed(whole(data, name).rows.models)),
        interval([s.test for s in found], [s.given.right - s.best for s in found]),
    )
    yield Row(f"{title}: share of the best single model's cost", share, 1.0, SHARE, share <= SHARE)
    yield calibration_row(
        f"{title.partition(',')[0]}, the four tiers",
        [s.told for s in found],
        [s.labels for s in found],
    )


def agreement(model: str, hand: Mapping[str, Any]) -> dict[str, float]:
    """Who of the others in hand chose the same letter, and who chose none."""
    others = {name: letter for name, letter in hand.items() if name != model}
    same = {f"agrees {name}": float(letter == hand[model]) for name, letter in others.items()}
    return same | {f"silent {name}": float(letter is None) for name, letter in others.items()}


@cache
def whole(data: pathlib.Path, name: str) -> Recorded:
    """All prompts that every model was asked.

    Raises
    ------
    SkippedError
        If there are too few, or a prompt, or the length of an answer, was not recorded.
    """
    every, models = lettered(place(data, name))
    lines = [line for line in every if _is_whole(line, len(models))]
    if len(lines) < FEWEST or len(models) < MODELS:
        told = f"{len(lines)} of {len(every)} prompts with their answers' lengths"
        raise SkippedError(
            f"{name} holds {told}, of {len(models)} models; {FEWEST} of {MODELS} are needed"
        )
    texts = [choice(line) for line in lines]
    tokens = np.array([line["out_chars"] for line in lines]) / CHARS_PER_TOKEN
    asked = np.array([len(text) for text in texts])[:, np.newaxis] / CHARS_PER_TOKEN
    prices = prices_of(models)
    usd = asked * [p.input for p in prices.values()] + tokens * [p.output for p in prices.values()]
    told = rows_of(
        models,
        [str(line.get("id")) for line in lines],
        texts,
        np.array([[said == line["gold"] for said in line["pred"]] for line in lines], dtype=float),
        vectors=word_vectors(texts),
        costs_usd=usd,
        output_tokens=tokens,
        domains=[line.get("category") or "" for line in lines],
    )
    letters = tuple(tuple(None if c == "-" else c for c in line["pred"]) for line in lines)
    return Recorded(told, letters)


def _is_whole(line: Line, models: int) -> bool:
    lengths = [each for each in line.get("out_chars") or [] if each is not None]
    return "?" not in line["pred"] and bool(choice(line).strip()) and len(lengths) == models


def prices_of(models: Sequence[str]) -> dict[str, Price]:
    """What each model costs a token; all the same where one of them is not known."""
    if are_listed(models):
        return {model: price(model) for model in models}
    return dict.fromkeys(models, Price(1.0 / MILLION, 1.0 / MILLION))


def are_listed(models: Sequence[str]) -> bool:
    return set(models) <= {*LISTED, *WEIGHTS}


def price(model: str) -> Price:
    """What a model costs a token by what is listed."""
    if model in LISTED:
        given, made = LISTED[model]
        return Price(given / MILLION, made / MILLION)
    each = next(usd for size, usd in BY_SIZE.items() if WEIGHTS[model] <= size) / MILLION
    return Price(each, each)


@cache
def _split(data: pathlib.Path, name: str, seed: int) -> Split:
    every = whole(data, name)
    order = np.random.default_rng(seed).permutation(len(every.said))
    cut = min(LABELS, len(order) // 2)
    train, test = order[:cut], order[cut:]
    labels, costs = every.rows.labels, every.rows.costs_usd
    best = np.argsort(-labels[train].mean(axis=0), kind="stable")[:TIERS]
    tiers = every.of(best)
    spent = costs[train][:, best].mean(axis=0)
    first = tuple(tiers.rows.models[j] for j in np.argsort(spent)[: min(FIRST, len(best) - 1)])
    terms = Terms(EMBEDDING, prices_of(every.rows.models), agreement, first=first)
    cascade = Cascade(tiers.only(train), terms, seed=seed)
    dearest = float(costs[train, best[0]].mean())
    values = VALUES_USD
    if not is_published(data, name):
        values = tuple(dearest * times for times in WORTH)
    asked = tiers.only(test)
    given = cascade.asked(asked, cascade.within(SHARE * dearest, values))
    return Split(
        test,
        given,
        labels[test, best[0]],
        costs[test, best[0]],
        labels[test].max(axis=1),
        tiers.rows.models,
        adequacy(cascade.routing, asked.rows),
        asked.rows.labels,
        len(train),
    )


def _note(found: Sequence[Split], *, listed: bool) -> str:
    calls = np.mean([each.given.calls.mean() for each in found])
    paid = 1_000.0 * np.mean([each.given.cost_usd.mean() for each in found])
    most = 1_000.0 * np.mean([each.best_usd.mean() for each in found])
    prices = "list prices" if listed else "the same price for every model, as some are not listed,"
    return (
        f"{len(found)} splits, {found[0].trained:,} prompts to train on; ${paid:.3f} and ${most:.3f} a thousand "
        f"questions, by {prices} and characters / 4, without the examples of the prompt; oracle "
        f"{percent([each.oracle for each in found]):.1f}; tiers: {', '.join(found[0].tiers)}; "
        f"{calls:.2f} calls a question; interval: 95 %"
    )
