"""Recorded answers of six models of 2026 to SimpleQA, as a roster that a mesh can ask."""

import gzip
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Row = Mapping[str, Any]

FAMILIES = {
    "MiniMax-M2.5": "minimax",
    "gpt-5-mini": "gpt",
    "gemini-3-flash-preview": "gemini",
    "claude-opus-4.6-thinking": "claude",
    "gpt-5.2-high": "gpt",
    "gemini-3.1-pro-preview": "gemini",
}
"""Family by model, cheapest first."""
CHEAP = ("MiniMax-M2.5", "gpt-5-mini", "gemini-3-flash-preview")
STRONG = ("gemini-3-flash-preview", "claude-opus-4.6-thinking", "gemini-3.1-pro-preview")
TIMEOUT_S = 10


def questions(data: pathlib.Path, count: int) -> tuple[list[Row], list[Row]]:
    """`count` rows spread evenly over the file, and the others."""
    path = data / "routing/frontier_simpleqa.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).split(b"\n") if line]
    step = len(rows) // count
    asked = rows[:: max(step, 1)][:count]
    ids = {row["id"] for row in asked}
    return asked, [row for row in rows if row["id"] not in ids]


def write_cassette(rows: Sequence[Row], path: pathlib.Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            for model, recorded in row["models"].items():
                file.write(json.dumps(_line(row["query"], model, recorded)) + "\n")


def _line(question: str, model: str, recorded: Row) -> dict[str, Any]:
    usage = {
        "input_tokens": recorded["pt"],
        "output_tokens": recorded["ct"],
        "reasoning_tokens": recorded["tt"],
    }
    return {
        "model": model,
        "prompt": question,
        "text": recorded["out"],
        "usage": usage,
        "cost_usd": recorded["cost"],
    }


def accuracy(rows: Sequence[Row], model: str) -> float:
    return sum(row["models"][model]["score"] for row in rows) / len(rows)


def config(others: Sequence[Row], data: pathlib.Path) -> str:
    """A mesh over the recordings.

    What the config says of a model's adequacy is its accuracy on `others`,
    which are not asked.
    """
    prices = json.loads((data / "routing/frontier_prices.json").read_text())
    known = {model: round(accuracy(others, model), 3) for model in FAMILIES}
    roster = {model: _model(model, known[model], prices[model]) for model in FAMILIES}
    return yaml.safe_dump(
        {
            "version": 1,
            "models": roster,
            "ensembles": _ensembles(known),
            "default_ensemble": "route",
        }
    )


def _model(model: str, adequacy: float, price: Mapping[str, float]) -> dict[str, Any]:
    return {
        "backend": "recorded",
        "cassette": "frontier.jsonl",
        "model": model,
        "family": FAMILIES[model],
        "provider": FAMILIES[model],
        "timeout_s": TIMEOUT_S,
        "context_tokens": 200_000,
        "max_output_tokens": 65_536,
        "adequacy": adequacy,
        "price": {
            "input_usd_per_mtok": price["input_price_per_MTok"],
            "output_usd_per_mtok": price["output_price_per_MTok"],
        },
    }


def _ensembles(known: Mapping[str, float]) -> dict[str, Any]:
    return {
        "route": {
            "pattern": "route",
            "min_adequacy": 0.6,
            "tiers": [{"name": model, "jurors": [{"model": model}]} for model in FAMILIES],
            "judge": {},
        },
        "cascade": _cascade(STRONG),
        "cascade-all": _cascade(tuple(FAMILIES)),
        "jury-cheap": _jury(CHEAP, known),
        "jury-strong": _jury(STRONG, known),
        "jury-all": _jury(tuple(FAMILIES), known),
    }


def _cascade(models: Sequence[str]) -> dict[str, Any]:
    """No judge model: an answer is accepted once a later model says the same."""
    return {
        "pattern": "cascade",
        "tiers": [{"name": model, "jurors": [{"model": model}]} for model in models],
        "judge": {},
    }


def _jury(models: Sequence[str], known: Mapping[str, float]) -> dict[str, Any]:
    """Everyone is waited for: recordings have no stragglers."""
    return {
        "pattern": "jury",
        "jurors": [{"model": model, "weight": known[model]} for model in models],
        "quorum": 2,
        "grace_s": 2.0,
    }
