"""Recorded outcomes of routing as rows that the trainer takes."""

import pathlib
from collections.abc import Collection, Sequence
from string import ascii_uppercase
from typing import Final

from bench.forms import Line
from bench.recordings import files, located, recording, rows_of, stem

FILES: Final = {
    "mmlu": "routellm_mmlu",
    "gsm8k": "routellm_gsm8k",
    "llmrouter": "llmrouter_9models",
    "simpleqa": "frontier_simpleqa",
    "mmlupro": "mmlupro_29models",
}
"""Recordings that figures are published of, by what they are called here."""
FORMS: Final = {
    "mmlu": "a pair of models",
    "gsm8k": "a pair of models",
    "llmrouter": "scores",
    "simpleqa": "outcomes",
    "mmlupro": "letters",
}
SIZES: Final = {
    "mmlu": (14_042, 2),
    "gsm8k": (1_319, 2),
    "llmrouter": (5_610, 9),
    "simpleqa": (4_310, 6),
    "mmlupro": (12_032, 29),
}
"""Rows and models of those recordings."""
PROMPT: Final = {"outcomes": "query", "scores": "prompt", "a pair of models": "prompt"}
FEWEST: Final = 60
"""Prompts that a router is trained and tried on."""


def place(data: pathlib.Path, name: str) -> pathlib.Path:
    """Where a recording lies: one that is called so here, or any by its own name."""
    return located(data, f"routing/{FILES.get(name, name)}")


def others(data: pathlib.Path, form: str) -> list[str]:
    """Names of recordings of a form that nothing is published of."""
    names = [stem(path) for path in files(data, form)]
    return [name for name in dict.fromkeys(names) if name not in FILES.values()]


def recorded(data: pathlib.Path, name: str) -> Sequence[Line]:
    """All rows of a set.

    Raises
    ------
    SkippedError
        If its file is missing, cannot be read or is of another form.
    """
    path = place(data, name)
    return rows_of(path, FORMS.get(name) or recording(path).form)


def is_published(data: pathlib.Path, name: str) -> bool:
    """Whether a set is the very one that figures are published of."""
    rows = recorded(data, name)
    return (len(rows), len(_models(rows))) == SIZES.get(name)


def _models(rows: Sequence[Line]) -> Collection[str | int]:
    """Models that any row tells of, by name or by place."""
    if rows and "pred" in rows[0]:
        return range(max(len(row["pred"]) for row in rows))
    if rows and "weak" in rows[0]:
        return ("weak", "strong")
    return {name for row in rows for name in row.get("score", row.get("models", {}))}


def prompts(data: pathlib.Path, name: str) -> list[str]:
    """What the models of a set were asked."""
    rows = recorded(data, name)
    form = recording(place(data, name)).form
    return [choice(row) if form == "letters" else row[PROMPT[form]] for row in rows]


def choice(row: Line) -> str:
    """A question with its options, each with its letter."""
    lettered = zip(ascii_uppercase, row.get("options") or [], strict=False)
    options = [f"{letter}. {text}" for letter, text in lettered]
    return "\n".join([row.get("question") or "", *options])
