"""Recorded data by form: which files a folder holds, and their sound rows in an order of their own.

A row that cannot be used is left out and told; a file with many of them, or one that cannot be
read to its end, is not measured at all. Rows stand by their ids, so that the order in a file
changes nothing, and a second row of the same id is left out: no prompt is on both sides of a split.
"""

import gzip
import hashlib
import json
import pathlib
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from bench.decisions import BrokenError, SkippedError
from bench.forms import FORMS, Line, whole

MOST_FAULTY: Final = 0.1
"""Share of the lines of a file that may be of no use."""
MOST_ROWS: Final = 30_000
"""Of a file; more are drawn from, by a stated seed."""
SEED: Final = 0
LOOKED_AT: Final = 50
"""Lines that tell the form of a file."""
SEVERAL: Final = ("claims",)
"""Forms of which several rows share an id."""
OTHERS: Final = (".parquet", ".csv", ".arrow", ".zip", ".zst", ".gz")
"""Files of these kinds hold recordings, too, but not as they are documented."""


@dataclass(frozen=True)
class Recording:
    """The sound rows of one file."""

    path: pathlib.Path
    form: str
    rows: tuple[Line, ...]
    left_out: str
    """What is left out, and why; empty: nothing."""


def rows_of(path: pathlib.Path, *forms: str) -> Sequence[Line]:
    """The rows of a recording that has to be of one of these forms.

    Raises
    ------
    SkippedError
        If it is missing, cannot be read, or is of another form.
    """
    found = recording(path)
    if found.form not in forms:
        raise SkippedError(f"{_named(path)} holds {found.form}, not {' or '.join(forms)}")
    return found.rows


def located(data: pathlib.Path, place: str, *, form: str = "") -> pathlib.Path:
    """Where a recording lies: at its documented place, else wherever its name is found.

    Where that name is nowhere, the first recording of the form that is told.
    """
    documented = data / f"{place}.jsonl.gz"
    if documented.exists():
        return documented
    named = [path for path in _recordings(data) if stem(path) == stem(documented)]
    alike = files(data, form) if form and not named else []
    return next(iter([*named, *alike]), documented)


def files(data: pathlib.Path, *forms: str) -> list[pathlib.Path]:
    """Recordings of these forms, by name; those that cannot be read are told of by `troubles`."""
    return [path for path in _recordings(data) if _form(path) in forms]


def troubles(data: pathlib.Path) -> Iterator[SkippedError]:
    """Why files of a folder cannot be measured."""
    for path in sorted(each for each in data.rglob("*") if each.is_file()):
        if path.name.endswith((".jsonl.gz", ".jsonl")):
            try:
                recording(path)
            except SkippedError as err:
                yield err
        elif path.name.endswith(OTHERS):
            yield SkippedError(f"{_named(path)} is no .jsonl or .jsonl.gz")


def stem(path: pathlib.Path) -> str:
    """Name of a recording without what tells how it is packed."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


@cache
def recording(path: pathlib.Path) -> Recording:
    """Read a file once; what is left out is told on standard error.

    Raises
    ------
    SkippedError
        If it is missing, empty, or of no documented form.
    BrokenError
        If it cannot be read to its end, or many of its lines are of no use.
    """
    if not path.exists():
        raise SkippedError(f"{_named(path)} is missing")
    objects, faults = _parsed(_text(path))
    form = _likeliest([row for _, row in objects[:LOOKED_AT]])
    if form is None:
        _refuse(path, objects, faults)
        raise SkippedError(f"{_named(path)} is of no documented form")
    sound, more = _sound(objects, form)
    faults = sorted(faults + more)
    lines = len(objects) + len(faults) - len(more)
    if len(faults) > MOST_FAULTY * lines:
        raise BrokenError(f"{_named(path)}: {_of_no_use(faults, lines)}")
    kept, left_out = _in_order(sound, form)
    told = "; ".join(filter(None, [_of_no_use(faults, lines) if faults else "", *left_out]))
    if told:
        print(f"{_named(path)}: {told}", file=sys.stderr)
    return Recording(path, form, kept, told)


def _recordings(data: pathlib.Path) -> list[pathlib.Path]:
    found = [*data.rglob("*.jsonl.gz"), *data.rglob("*.jsonl")]
    return sorted(path for path in found if path.is_file())


def _form(path: pathlib.Path) -> str:
    try:
        return recording(path).form
    except SkippedError:
        return ""


def _named(path: pathlib.Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _text(path: pathlib.Path) -> str:
    opened = gzip.open if path.name.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="\n") as file:
            return str(file.read())
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as err:
        raise BrokenError(f"{_named(path)} cannot be read: {err}") from err


def _parsed(text: str) -> tuple[list[tuple[int, Any]], list[tuple[int, str]]]:
    """What stands on each line, split at line feeds only, for texts hold other line ends."""
    objects, faults = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if line.strip():
                objects.append((number, json.loads(line)))
        except (ValueError, RecursionError) as err:
            faults.append((number, f"no JSON: {err}"))
    return objects, faults


def _likeliest(rows: Sequence[Any]) -> str | None:
    """The form that most of the rows have; None where none has any."""
    counts = {form: len(_sound(list(enumerate(rows)), form)[0]) for form in FORMS}
    best = max(counts, key=lambda form: counts[form])
    return best if counts[best] else None


def _refuse(
    path: pathlib.Path, objects: Sequence[tuple[int, Any]], faults: Sequence[tuple[int, str]]
) -> None:
    """Tell why no form can be made out, where that is plain."""
    if not objects and not faults:
        raise SkippedError(f"{_named(path)} is empty")
    if not objects:
        raise BrokenError(f"{_named(path)}: {_of_no_use(faults, len(faults))}")


def _sound(
    objects: Sequence[tuple[int, Any]], form: str
) -> tuple[list[Line], list[tuple[int, str]]]:
    sound, faults = [], []
    for number, row in objects:
        try:
            sound.append(whole(form, row))
        except ValueError as err:
            faults.append((number, str(err)))
    return sound, faults


def _of_no_use(faults: Sequence[tuple[int, str]], lines: int) -> str:
    number, why = faults[0]
    return f"{len(faults)} of {lines} lines are of no use (line {number}: {why})"


def _in_order(rows: Sequence[Line], form: str) -> tuple[tuple[Line, ...], list[str]]:
    """Rows by id, each id once and not too many; and what is left out for that."""
    ids, digests = [_id(row, form) for row in rows], [_digest(row) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: (_natural(ids[i]), digests[i]))
    names = digests if form in SEVERAL else ids
    first = {names[i]: i for i in reversed(order)}
    kept = [i for i in order if first[names[i]] == i]
    left_out = [f"{n} with the id of another" for n in [len(order) - len(kept)] if n]
    if len(kept) > MOST_ROWS:
        left_out.append(f"{MOST_ROWS:,} of {len(kept):,} rows are drawn")
        drawn = np.random.default_rng(SEED).permutation(len(kept))[:MOST_ROWS]
        kept = [kept[i] for i in sorted(drawn)]
    return tuple(rows[i] for i in kept), left_out


def _id(row: Line, form: str) -> str:
    name = {"documents": "doc_id", "claims": "qid"}.get(form, "id")
    return str(row[name]) if row.get(name) is not None else _digest(row)


def _digest(row: Line) -> str:
    text = json.dumps(row, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _natural(text: str) -> list[str | int]:
    """Numbers in it by their value.

    Examples
    --------
    >>> sorted(["q/10", "q/9"], key=_natural)
    ['q/9', 'q/10']
    """
    parts = re.split(r"([0-9]{1,18})", text)
    return [int(part) if nth % 2 else part for nth, part in enumerate(parts)]
