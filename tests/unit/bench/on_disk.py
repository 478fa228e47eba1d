"""Recordings of made-up models on disk, and what the parts of the bench make of them."""

import gzip
import json

import numpy as np

from bench.decisions import BrokenError, SkippedError, votes

ACCURACIES = {"strong": 0.8, "fair": 0.7, "plain": 0.7, "weak": 0.5}


def recorded(n, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(n):
        right = {name: bool(rng.random() < p) for name, p in ACCURACIES.items()}
        answers = {
            name: [str(i) if good else str(-int(rng.integers(1, 9))), int(good), 1, 9]
            for name, good in right.items()
        }
        yield {"id": str(i), "prompt": f"What is {i}?", "gold": str(i), "answers": answers}


def rows_of(data):
    """All rows, and why others are missing."""
    found = []
    try:
        found.extend(votes.rows(data))
    except BrokenError:
        raise
    except SkippedError as err:
        return found, str(err)
    return found, ""


def is_there(read):
    try:
        read()
    except SkippedError:
        return False
    return True


def written(path, rows):
    path.parent.mkdir(exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def tool_calls(n, seed=0):
    """Recorded tool calls of models that no table is about."""
    rng = np.random.default_rng(seed)
    city = {"type": "dict", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    for i in range(n):
        answers = {}
        for name, p in ACCURACIES.items():
            good = bool(rng.random() < p)
            called = [{"weather": {"city": f"c{i}" if good else f"w{rng.integers(4)}"}}]
            answers[name] = {"raw": json.dumps(called), "valid": good, "ok": good}
        yield {
            "id": str(i),
            "category": "simple",
            "functions": [{"name": "weather", "parameters": city}],
            "answers": answers,
        }


def worked(n, seed=0):
    """Recorded word problems, each answer with its working."""
    for row in recorded(n, seed):
        said = {
            name: {"ans": text, "correct": good, "text": f"1 + 1 = 2, and so on.\n#### {text}"}
            for name, (text, good, *_) in row["answers"].items()
        }
        yield {**row, "answers": said}


def compared(n, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(n):
        label = int(rng.integers(1, 3))
        said = {
            f"{name}/Plain": [label if rng.random() < p else 3 - label] * 2
            for name, p in ACCURACIES.items()
        }
        yield {"id": i, "label": label, "judges": said}


def found_in(part, data):
    """Rows that a part yields before it tells what is missing."""
    found = []
    try:
        found.extend(part.rows(data))
    except BrokenError:
        raise
    except SkippedError:
        return found
    return found
