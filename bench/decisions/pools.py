"""Recorded pools as labelled votes.

Numbers and tool calls are read by the code that serves. Of multiple choice only a letter was recorded,
and CRUX asks for Python literals, which no output format of ours is: those are read here. Any
recording of the documented form is a pool of all its models, whatever its name.
"""

import json
import pathlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bench.canonical import tools
from bench.decisions import SkippedError
from bench.decisions.reading import number, reader
from bench.forms import Line
from bench.recordings import files, located, recording, rows_of, stem
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

PUBLISHED = {"GSM8K": (1319, 43), "CRUX": (800, 51), "MMLU-Pro": (10288, 29), "BFCL": (1240, 25)}
"""Prompts and models of the recordings that the published table is about."""
MOSTLY = 0.9
"""Share of the prompts that have a letter of each model listed."""
FEWEST = 10
"""Prompts of a pool, of which a fifth is held out at a time."""
SILENT: Line = {"raw": "", "valid": False, "ok": False}
"""For who was not heard."""
JURORS = 2
"""That a vote takes."""
TITLES = {
    "zeroeval_gsm": "GSM8K",
    "zeroeval_crux": "CRUX",
    "mmlupro_29models": "MMLU-Pro",
    "bfcl_25models": "BFCL",
}
"""What the table calls the pools of these recordings."""


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
    """The table's better of best member and plurality, in points; None for other pools."""
    left_out: str = ""
    """What of the recording is not measured."""

    @property
    def is_published(self) -> bool:
        """Whether figures were published of this very pool."""
        return self.published is not None


@dataclass(frozen=True)
class Cast:
    """What jurors said, by prompt and juror."""

    ballots: Sequence[Sequence[Ballot | None]]
    """None where a juror was not heard."""
    forms: Sequence[Sequence[str]]
    right: Bools
    unfit: Bools | None = None


def pools(data: pathlib.Path) -> Iterator[Callable[[], Pool]]:
    """The pools of the published table, then all others, each read when it is called."""
    gsm, crux = located(data, "jury/zeroeval_gsm"), located(data, "jury/zeroeval_crux")
    bfcl, mmlu = located(data, "jury/bfcl_25models"), located(data, "routing/mmlupro_29models")
    yield partial(short, "GSM8K cheap3", gsm, (MINI, "claude-3-5-haiku-20241022", FLASH), 95.8)
    yield partial(short, "GSM8K cheap5", gsm, CHEAP5, 95.2)
    yield partial(short, "GSM8K all", gsm, (), 97.2)
    yield partial(short, "CRUX cheap5", crux, CHEAP5, 75.9)
    yield partial(short, "CRUX frontier3", crux, FRONTIER3, 87.8)
    yield partial(short, "CRUX all", crux, (), 95.9)
    yield partial(letters, "MMLU-Pro top4", mmlu, 4, 74.1)
    yield partial(letters, "MMLU-Pro small5", mmlu, MMLU_SMALL5, 52.8)
    yield partial(letters, "MMLU-Pro all", mmlu, (), 71.8)
    yield partial(calls, "BFCL cheap5", bfcl, BFCL_CHEAP5, 89.6)
    yield partial(calls, "BFCL all", bfcl, (), 94.0)
    for path in files(data, *READERS):
        if path not in {gsm, crux, bfcl, mmlu}:
            yield whole_pool(path)


def whole_pool(path: pathlib.Path) -> Callable[[], Pool]:
    """All jurors of a recording of any of the forms that jurors answer in."""
    name = TITLES.get(stem(path), stem(path))
    return partial(READERS[recording(path).form], f"{name} all", path, (), None)


def hard(data: pathlib.Path) -> Iterator[Callable[[], Pool]]:
    """All jurors of the pools in which they differ most."""
    for place in ("jury/zeroeval_crux", "routing/mmlupro_29models"):
        yield partial(_whole_at, located(data, place))


def _whole_at(path: pathlib.Path) -> Pool:
    return whole_pool(path)()


def small5(data: pathlib.Path) -> Pool:
    """The five small models on MMLU-Pro."""
    path = located(data, "routing/mmlupro_29models")
    return letters("MMLU-Pro small5", path, MMLU_SMALL5, 52.8)


def answered(rows: Sequence[Line], jurors: Sequence[str], path: pathlib.Path) -> tuple[str, ...]:
    """The jurors asked for; all that answered any prompt where none is named.

    Raises
    ------
    SkippedError
        If one that is asked for answered no prompt.
    """
    heard = {name for row in rows for name, said in row["answers"].items() if said is not None}
    if lacking := sorted(set(jurors) - heard) or ([] if heard else ["anybody"]):
        raise SkippedError(f"{path.name} lacks answers of {', '.join(lacking)}")
    return tuple(jurors) or tuple(sorted(heard))


def short(name: str, path: pathlib.Path, jurors: Sequence[str], published: float | None) -> Pool:
    """Short answers; what they are is told by the reference answers."""
    rows = rows_of(path, "short answers")
    named = answered(rows, jurors, path)
    read = reader([row.get("gold") for row in rows])
    said = [[row["answers"].get(j) for j in named] for row in rows]
    cast = [[None if a is None else read(a[0]) for a in row] for row in said]
    forms = [["" if a is None else str(a[0]).strip() for a in row] for row in said]
    right = np.array([[a is not None and bool(a[1]) for a in row] for row in said])
    return _pool(name, path, named, Cast(cast, forms, right), published)


def worked(name: str, path: pathlib.Path, jurors: Sequence[str], published: float | None) -> Pool:
    """Word problems, each answer with its working: the number is found as it is when served."""
    rows = rows_of(path, "worked problems")
    named = answered(rows, jurors, path)
    said = [[row["answers"].get(j) for j in named] for row in rows]
    cast = [[None if a is None else number(a["text"]) for a in row] for row in said]
    forms = [["" if a is None else str(a["ans"]).strip() for a in row] for row in said]
    right = np.array([[a is not None and a["correct"] for a in row] for row in said])
    return _pool(name, path, named, Cast(cast, forms, right), published)


def letters(
    name: str, path: pathlib.Path, jurors: Sequence[str] | int, published: float | None
) -> Pool:
    """Multiple choice: prompts that some model was not run on are left out, if most are left."""
    rows, every = lettered(path)
    right = np.array([[said == row["gold"] for said in row["pred"]] for row in rows])
    if isinstance(jurors, int):
        by_accuracy = np.argsort(-right.mean(axis=0), kind="stable")
        jurors = [every[i] for i in by_accuracy[:jurors]]
    named = tuple(jurors or every)
    if lacking := sorted(set(named) - set(every)):
        raise SkippedError(f"{path.name} lacks answers of {', '.join(lacking)}")
    at = [every.index(juror) for juror in named]
    said = [[row["pred"][i] for i in at] for row in rows]
    one: dict[str, Ballot | None] = {each: prose_ballot(each) for row in said for each in row}
    one |= {"-": Ballot(""), "?": None}
    cast = [[one[each] for each in row] for row in said]
    return _pool(name, path, named, Cast(cast, said, right[:, at]), published)


def lettered(path: pathlib.Path) -> tuple[list[Line], list[str]]:
    """Rows of multiple choice that all models were run on, if these are half of them, else all.

    Raises
    ------
    SkippedError
        If the models are not listed beside the recording, or too few for its letters.
    """
    said, listing = rows_of(path, "letters"), path.parent / f"{stem(path)}.models.json"
    try:
        listed = json.loads(listing.read_text(encoding="utf-8"))
        names = list(map(str, listed["models_in_pred_order"]))
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise SkippedError(f"{listing.name} does not list the models of {path.name}") from err
    rows = [row for row in said if len(row["pred"]) == len(names)]
    if len(rows) < MOSTLY * len(said) or len(set(names)) < len(names):
        raise SkippedError(f"{listing.name} does not fit the letters of {path.name}")
    complete = [row for row in rows if "?" not in row["pred"]]
    return (complete if 2 * len(complete) >= len(rows) else rows), names


def calls(name: str, path: pathlib.Path, jurors: Sequence[str], published: float | None) -> Pool:
    """Tool calls; right by the official or the lenient grade."""
    rows = rows_of(path, "tool calls")
    named = answered(rows, jurors, path)
    said = [[row["answers"].get(j) for j in named] for row in rows]
    cast = [
        [None if a is None else called(a["raw"] or "", row) for a in answers]
        for answers, row in zip(said, rows, strict=True)
    ]
    right = np.array([[a is not None and bool(a["valid"] or a["ok"]) for a in row] for row in said])
    forms = [["" if a is None else a["raw"] or "" for a in answers] for answers in said]
    unfit = np.array([row["category"] == "relevance" for row in rows])
    return _pool(name, path, named, Cast(cast, forms, right, unfit), published)


def called(raw: str, row: Line) -> Ballot:
    return ballot(raw, (), output_format=OutputFormat(), tools=tools(row))


def with_a_tool(path: pathlib.Path, jurors: Sequence[str]) -> list[Line]:
    """Tasks that some tool fits; who gave no answer gave an empty one.

    Raises
    ------
    SkippedError
        If one of the jurors answered none.
    """
    rows = [row for row in rows_of(path, "tool calls") if row["category"] != "relevance"]
    named = answered(rows, jurors, path)
    return [{**row, "answers": {j: row["answers"].get(j) or SILENT for j in named}} for row in rows]


READERS: dict[str, Callable[[str, pathlib.Path, tuple[str, ...], float | None], Pool]] = {
    "short answers": short,
    "worked problems": worked,
    "letters": letters,
    "tool calls": calls,
}


def _pool(
    name: str,
    path: pathlib.Path,
    jurors: tuple[str, ...],
    cast: Cast,
    published: float | None,
) -> Pool:
    """Ballots as votes; who was not heard has none.

    Raises
    ------
    SkippedError
        If there are too few prompts, or only one juror.
    """
    if len(cast.ballots) < FEWEST or len(jurors) < JURORS:
        told = f"{path.name} holds {len(cast.ballots)} prompts of {len(jurors)} models"
        raise SkippedError(f"{told}; a vote needs {FEWEST} of {JURORS}")
    keys = tuple(tuple(None if v is None else v.key for v in row) for row in cast.ballots)
    fits = np.zeros(len(keys), dtype=bool)
    votes = Votes(jurors, keys, cast.right, "" if cast.unfit is None else NO_CALL.key)
    return Pool(
        name,
        votes,
        tuple(tuple(vote or Ballot("") for vote in row) for row in cast.ballots),
        tuple(map(tuple, cast.forms)),
        fits if cast.unfit is None else cast.unfit,
        published if _is_published(name, votes) else None,
        recording(path).left_out,
    )


def _is_published(name: str, votes: Votes) -> bool:
    """Whether it is the pool that the table is about, by its size, and nobody is missing."""
    title, _, which = name.partition(" ")
    prompts, jurors = PUBLISHED.get(title, (0, 0))
    sized = len(votes.keys) == prompts and (which != "all" or len(votes.jurors) == jurors)
    return sized and bool(votes.heard.all())
