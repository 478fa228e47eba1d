"""Recorded pools as labelled votes.

Numbers and tool calls are read by the code that serves. Of MMLU-Pro only a letter was recorded, and
CRUX asks for Python literals, which no output format of ours is: those are read here.
"""

import ast
import gzip
import json
import pathlib
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from bench.canonical import tools
from bench.decisions import SkippedError
from services.calibration.votes import Bools, Votes
from services.core.canonical import NO_CALL, Ballot, ballot, prose_ballot
from services.core.prompts import OutputFormat

MINI, HAIKU, FLASH = "gpt-4o-mini-2024-07-18", "claude-3-haiku-20240307", "gemini-1.5-flash"
LLAMA, QWEN = "Meta-Llama-3.1-8B-Instruct", "Qwen2-7B-Instruct"
CHEAP5 = (MINI, HAIKU, FLASH, LLAMA, QWEN)
FRONTIER3 = ("gpt-4o-2024-08-06", "claude-3-5-sonnet-20241022", "gemini-1.5-pro")
MMLU_SMALL5 = (
    "Meta-Llama-3_1-8B-Instruct",
    "Mixtral-8x7B-Instruct-v0.1",
    "Phi-3-mini-4k-instruct",
    "c4ai-command-r-v01",
    "mathstral-7B",
)
BFCL_CHEAP5 = (
    MINI,
    HAIKU,
    "gemini-1.5-flash-preview-0514",
    "open-mistral-nemo-2407",
    "meta-llama_Meta-Llama-3-8B-Instruct",
)
"""The five with which the table's plurality on relevance (69.2 %) and oracle (96.2 %) come out."""

PROMPTS = {"GSM8K": 1319, "CRUX": 800, "MMLU-Pro": 10288, "BFCL": 1240}
"""Of the recordings that the published table is about."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Pool:
    """The same jurors on the same prompts."""

    name: str
    votes: Votes
    ballots: tuple[tuple[Ballot, ...], ...]
    forms: tuple[tuple[str, ...], ...]
    """How each answer is worded."""
    unfit: Bools
    """Shape (n,): prompts that no tool fits."""
    published: float | None
    """The table's better of best member and plurality, in points; None for other prompts."""


def answered(rows: Sequence[Line], jurors: Sequence[str], path: pathlib.Path) -> tuple[str, ...]:
    """The jurors asked for; all that answered every prompt where none is named.

    Raises
    ------
    SkippedError
        If one that is asked for did not answer every prompt.
    """
    common = set.intersection(*(set(row["answers"]) for row in rows)) if rows else set()
    if lacking := sorted(set(jurors) - common) or ([] if common else ["anybody"]):
        raise SkippedError(f"{path.name} lacks answers of {', '.join(lacking)}")
    return tuple(jurors) or tuple(sorted(common))


@cache
def lines(path: pathlib.Path) -> list[Line]:
    """A recording; split at line feeds only, for texts hold other line ends."""
    if not path.exists():
        raise SkippedError(f"{path.parent.name}/{path.name} is missing")
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def pools(data: pathlib.Path) -> Iterator[Callable[[], Pool]]:
    """The pools of the published table, each read when it is called."""
    gsm, crux = data / "jury/zeroeval_gsm.jsonl.gz", data / "jury/zeroeval_crux.jsonl.gz"
    bfcl = data / "jury/bfcl_25models.jsonl.gz"
    yield lambda: _zero("GSM8K cheap3", gsm, (MINI, "claude-3-5-haiku-20241022", FLASH), 95.8)
    yield lambda: _zero("GSM8K cheap5", gsm, CHEAP5, 95.2)
    yield lambda: _zero("GSM8K all", gsm, (), 97.2)
    yield lambda: _zero("CRUX cheap5", crux, CHEAP5, 75.9)
    yield lambda: _zero("CRUX frontier3", crux, FRONTIER3, 87.8)
    yield lambda: _zero("CRUX all", crux, (), 95.9)
    yield lambda: _labels("MMLU-Pro top4", data, 4, 74.1)
    yield lambda: small5(data)
    yield lambda: _labels("MMLU-Pro all", data, (), 71.8)
    yield lambda: _calls("BFCL cheap5", bfcl, BFCL_CHEAP5, 89.6)
    yield lambda: _calls("BFCL all", bfcl, (), 94.0)
    yield from _others(data / "jury", {gsm, crux, bfcl})


def _others(folder: pathlib.Path, known: Collection[pathlib.Path]) -> Iterator[Callable[[], Pool]]:
    """All jurors of every other recording, by the form that its name tells."""
    readers = {"zeroeval": _zero, "bfcl": _calls, "gsm8k": _worked}
    for path in sorted(folder.glob("*.jsonl.gz")):
        read = readers.get(path.name.partition("_")[0])
        if read and path not in known and "_raw" not in path.name:
            yield partial(read, f"{path.name.removesuffix('.jsonl.gz')} all", path, (), 0.0)


def hard(data: pathlib.Path) -> Iterator[Pool]:
    """All jurors of the pools in which they differ most."""
    yield _zero("CRUX all", data / "jury/zeroeval_crux.jsonl.gz", (), 95.9)
    yield _labels("MMLU-Pro all", data, (), 71.8)


def small5(data: pathlib.Path) -> Pool:
    """The five small models on MMLU-Pro."""
    return _labels("MMLU-Pro small5", data, MMLU_SMALL5, 52.8)


def _zero(name: str, path: pathlib.Path, jurors: Sequence[str], published: float) -> Pool:
    rows = lines(path)
    named = answered(rows, jurors, path)
    read = _literal if "crux" in path.name else _number
    said = [[row["answers"][j] for j in named] for row in rows]
    ballots = tuple(tuple(read(each[0]) for each in row) for row in said)
    forms = tuple(tuple(str(each[0]).strip() for each in row) for row in said)
    right = np.array([[bool(each[1]) for each in row] for row in said])
    return _pool(name, named, ballots, forms, right, published=published)


def _worked(name: str, path: pathlib.Path, jurors: Sequence[str], published: float) -> Pool:
    """Word problems, each answer with its working: the number is found as it is when served."""
    rows = lines(path)
    named = answered(rows, jurors, path)
    said = [[row["answers"][j] for j in named] for row in rows]
    ballots = tuple(tuple(_number(each["text"]) for each in row) for row in said)
    forms = tuple(tuple(str(each["ans"]).strip() for each in row) for row in said)
    right = np.array([[bool(each["correct"]) for each in row] for row in said])
    return _pool(name, named, ballots, forms, right, published=published)


def _number(answer: object) -> Ballot:
    text = "" if answer is None else str(answer)
    return ballot(text, (), output_format=OutputFormat(kind="number"), tools=())


def _literal(answer: object) -> Ballot:
    """The ballot of a Python value; quotes around it do not count, as in the recorded grades.

    The benchmark asks for a Python literal, which no output format of ours is.
    """
    if answer is None:
        return Ballot("", reason="EMPTY")
    text = str(answer).strip()
    if text[:1] in {"'", '"'} and text[-1:] == text[:1] and len(text) > 1:
        inner = _evaluated(text)
        text = inner if isinstance(inner, str) else text[1:-1]
    value = _evaluated(text)
    key = repr(text if value is None and text != "None" else value)
    return Ballot(key, key)


def _evaluated(text: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value: object = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value


def _labels(name: str, data: pathlib.Path, jurors: Sequence[str] | int, published: float) -> Pool:
    """Multiple choice: prompts that some model was not run on are left out."""
    folder = data / "routing"
    rows = [r for r in lines(folder / "mmlupro_29models.jsonl.gz") if "?" not in r["pred"]]
    listed = json.loads((folder / "mmlupro_29models.models.json").read_text())
    every = listed["models_in_pred_order"]
    right = np.array([[said == row["gold"] for said in row["pred"]] for row in rows])
    if isinstance(jurors, int):
        by_accuracy = np.argsort(-right.mean(axis=0), kind="stable")
        jurors = [every[i] for i in by_accuracy[:jurors]]
    named = tuple(jurors or every)
    if lacking := sorted(set(named) - set(every)):
        raise SkippedError(f"mmlupro_29models lacks answers of {', '.join(lacking)}")
    at = [every.index(juror) for juror in named]
    one = {letter: prose_ballot(letter) for letter in "ABCDEFGHIJ"} | {"-": Ballot("")}
    ballots = tuple(tuple(one[row["pred"][i]] for i in at) for row in rows)
    forms = tuple(tuple(row["pred"][i] for i in at) for row in rows)
    return _pool(name, named, ballots, forms, right[:, at], published=published)


def _calls(name: str, path: pathlib.Path, jurors: Sequence[str], published: float) -> Pool:
    """Tool calls; right by the official or the lenient grade."""
    rows = lines(path)
    named = answered(rows, jurors, path)
    said = [[row["answers"][j] for j in named] for row in rows]
    ballots = tuple(
        tuple(_called(each["raw"] or "", row) for each in answers)
        for answers, row in zip(said, rows, strict=True)
    )
    right = np.array([[bool(a["valid"] or a["ok"]) for a in answers] for answers in said])
    forms = tuple(tuple(a["raw"] or "" for a in answers) for answers in said)
    unfit = np.array([row["category"] == "relevance" for row in rows])
    return _pool(name, named, ballots, forms, right, published=published, unfit=unfit)


def _called(raw: str, row: Mapping[str, Any]) -> Ballot:
    return ballot(raw, (), output_format=OutputFormat(), tools=tools(row))


def _pool(
    name: str,
    jurors: tuple[str, ...],
    ballots: tuple[tuple[Ballot, ...], ...],
    forms: tuple[tuple[str, ...], ...],
    right: Bools,
    *,
    published: float,
    unfit: Bools | None = None,
) -> Pool:
    keys = tuple(tuple(vote.key for vote in row) for row in ballots)
    none = np.zeros(len(keys), dtype=bool)
    votes = Votes(jurors, keys, right, "" if unfit is None else NO_CALL.key)
    known = published if PROMPTS.get(name.split(maxsplit=1)[0]) == len(keys) else None
    return Pool(name, votes, ballots, forms, none if unfit is None else unfit, known)
