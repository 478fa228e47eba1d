"""Recorded outcomes of routing as rows that the trainer takes."""

import pathlib
from collections.abc import Callable, Sequence
from typing import Final

from bench.decisions.pools import Line, lines

FILES: Final = {
    "mmlu": "routellm_mmlu",
    "gsm8k": "routellm_gsm8k",
    "llmrouter": "llmrouter_9models",
    "simpleqa": "frontier_simpleqa",
    "mmlupro": "mmlupro_29models",
}


def recording(data: pathlib.Path, name: str) -> Sequence[Line]:
    """All lines of a set.

    Raises
    ------
    SkippedError
        If its file is missing.
    """
    return lines(data / f"routing/{FILES[name]}.jsonl.gz")


def _prompt(line: Line) -> str:
    return str(line["prompt"])


def _query(line: Line) -> str:
    return str(line["query"])


def _choice(line: Line) -> str:
    letters = "ABCDEFGHIJ"
    options = [f"{letters[i]}. {text}" for i, text in enumerate(line["options"])]
    return "\n".join([str(line["question"]), *options])


PROMPTS: Final[dict[str, Callable[[Line], str]]] = {
    "mmlu": _prompt,
    "gsm8k": _prompt,
    "llmrouter": _prompt,
    "simpleqa": _query,
    "mmlupro": _choice,
}


def prompts(data: pathlib.Path, name: str) -> list[str]:
    """What the models of a set were asked."""
    return [PROMPTS[name](line) for line in recording(data, name)]
