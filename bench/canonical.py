"""What canonical ballots are worth: plurality over recorded tool calls of five small models.

    GREMIUM_DATA=../data python bench/canonical.py [--models a,b,c] [--graded ok|valid]

Each of 1,000 tasks (BFCL simple, multiple, parallel, parallel multiple) is
answered by five models. Their answers are put into classes by their text, by
their parsed calls with sorted keys, or by `services.core.canonical`; a tie
goes to the class with the model of the highest accuracy. An answer counts as
right by the recorded grade: `ok` (parsed leniently) or `valid` (the
benchmark's own parser, which fails some formats).
"""

import argparse
import gzip
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from aggregator_svc.voting import plurality  # noqa: E402 - the script puts its own project on the path
from services.core.canonical import ballot  # noqa: E402
from services.core.prompts import OutputFormat, Tool  # noqa: E402
from services.core.unreadable import UnreadableError  # noqa: E402
from services.core.written import written_calls  # noqa: E402

SMALL = (
    "claude-3-haiku-20240307",
    "gpt-3.5-turbo-0125",
    "open-mistral-nemo-2407",
    "gemini-1.5-flash-preview-0514",
    "mistral-small-2402",
)
TYPES = {"dict": "object", "float": "number", "tuple": "array"}

Row = Mapping[str, Any]
Keying = Callable[[str, Sequence[Tool]], str]


def tasks(path: pathlib.Path) -> list[Row]:
    """The recorded tasks that some tool fits."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["category"] != "relevance"]


def tools(row: Row) -> tuple[Tool, ...]:
    functions = row["functions"]
    listed = functions if isinstance(functions, list) else [functions]
    return tuple(Tool(f["name"], parameters=json_schema(f["parameters"])) for f in listed)


def json_schema(schema: Any) -> Any:
    """The benchmark's schema as JSON Schema."""
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key in KEPT}
    if schema.get("type") in (None, "any"):
        kept.pop("type", None)
    else:
        kept["type"] = TYPES.get(schema["type"], schema["type"])
    if "properties" in kept:
        kept["properties"] = {key: json_schema(part) for key, part in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = json_schema(kept["items"])
    return kept


KEPT = ("type", "description", "properties", "required", "items", "enum", "default", "format")


def by_text(text: str, offered: Sequence[Tool]) -> str:
    del offered
    return text


def by_sorted_keys(text: str, offered: Sequence[Tool]) -> str:
    try:
        written = written_calls(text, offered)
    except UnreadableError:
        return ""
    calls = [] if written is None else written[0]
    return json.dumps([(call.name, call.arguments) for call in calls], sort_keys=True)


def by_canonical(text: str, offered: Sequence[Tool]) -> str:
    return ballot(text, (), output_format=OutputFormat(), tools=offered).key


KEYINGS: dict[str, Keying] = {
    "raw text": by_text,
    "sorted keys": by_sorted_keys,
    "canonical": by_canonical,
}


def keyed(rows: Sequence[Row], models: Sequence[str], key_of: Keying) -> list[list[str]]:
    """Class of each answer; empty when it is no vote."""
    offered = [tools(row) for row in rows]
    return [
        [key_of(row["answers"][m]["raw"] or "", o) for m in models]
        for row, o in zip(rows, offered, strict=True)
    ]


def grades(rows: Sequence[Row], models: Sequence[str], graded: str) -> np.ndarray:
    return np.array([[bool(row["answers"][m][graded]) for m in models] for row in rows])


def vote_accuracy(keys: Sequence[Sequence[str]], right: np.ndarray) -> float:
    priors = right.mean(axis=0)
    return float(np.mean(list(map(lambda k, r: _vote(k, r, priors), keys, right))))


def _vote(keys: Sequence[str], right: np.ndarray, priors: np.ndarray) -> bool:
    valid = [i for i, key in enumerate(keys) if key]
    if not valid:
        return False
    count = plurality(
        [keys[i] for i in valid], np.ones(len(valid)), priors[valid], [0] * len(valid), min_share=0
    )
    return bool(right[valid[count.leader.representative]])


def same_when_right(keys: Sequence[Sequence[str]], right: np.ndarray) -> float:
    """How often two right answers share a class."""
    alike = [a == b != "" for a, b in _pairs(keys, right)]
    return float(np.mean(alike))


def _pairs(keys: Sequence[Sequence[str]], right: np.ndarray) -> Iterator[tuple[str, str]]:
    for row, grade in zip(keys, right, strict=True):
        yield from ((row[i], row[j]) for i, j in combinations(np.flatnonzero(grade).tolist(), 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(SMALL), help="names, separated by commas")
    parser.add_argument("--graded", choices=("ok", "valid"), default="ok")
    options = parser.parse_args()
    models = options.models.split(",")

    rows = tasks(pathlib.Path(os.environ["GREMIUM_DATA"]) / "jury" / "bfcl_25models.jsonl.gz")
    right = grades(rows, models, options.graded)
    print(f"{len(rows)} tasks, graded by `{options.graded}`")
    for model, accuracy in zip(models, right.mean(axis=0), strict=True):
        print(f"  {model:32} {accuracy:6.1%}")
    print(f"  {'any of them':32} {right.any(axis=1).mean():6.1%}")
    for name, key_of in KEYINGS.items():
        start = time.perf_counter()
        keys = keyed(rows, models, key_of)
        us = 1e6 * (time.perf_counter() - start) / right.size
        print(
            f"plurality by {name:12} {vote_accuracy(keys, right):6.1%}"
            f"   right pairs alike {same_when_right(keys, right):6.1%}"
            f"   {us:5.0f} µs an answer"
        )


if __name__ == "__main__":
    main()
