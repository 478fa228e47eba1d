"""Reads what a question consists of: a text, from standard input if it is `-`, and a schema."""

import json
import sys
from pathlib import Path
from typing import BinaryIO, Final

import click

from services.cli.question import Question

STDIN: Final = "-"
MOST_TEXT_BYTES: Final = 1024 * 1024
"""Of a question, as the contract has it."""
MOST_SCHEMA_BYTES: Final = 256 * 1024
"""Of a JSON Schema, as the contract has it."""


def question_text(given: str) -> str:
    """The question: as it was given, or what standard input says.

    Raises
    ------
    click.UsageError
        If it is blank, or standard input is closed, longer than a question may be, or no UTF-8.
    """
    text = _typed() if given == STDIN else given
    if not text.strip():
        raise click.UsageError("the question is blank")
    return text


def schema_text(path: Path | None) -> str | None:
    """What a file with a JSON Schema says; None without a file.

    Raises
    ------
    click.UsageError
        If it is longer than a schema may be, no UTF-8, or no JSON.
    OSError
        If it cannot be read.
    """
    if path is None:
        return None
    with path.open("rb") as file:
        text = _read(file, str(path), at_most=MOST_SCHEMA_BYTES)
    try:
        json.loads(text)
    except ValueError as err:
        raise click.UsageError(f"{path} is no JSON: {err}") from err
    return text


def must_make_sense(question: Question) -> None:
    """Refuse a choice that is none, and shapes that no answer can have together.

    Raises
    ------
    click.UsageError
        If there is one.
    """
    if len(question.shapes) > 1:
        raise click.UsageError(f"{' and '.join(question.shapes)} exclude each other")
    if len(question.labels) == 1:
        raise click.UsageError("one label is no choice; give --label twice or more")


def _typed() -> str:
    if sys.stdin is None:
        raise click.UsageError("standard input is closed, so no question can be read from it")
    return _read(sys.stdin.buffer, "standard input", at_most=MOST_TEXT_BYTES)


def _read(file: BinaryIO, name: str, *, at_most: int) -> str:
    told = file.read(at_most + 1)
    if len(told) > at_most:
        raise click.UsageError(f"{name} has more than {at_most:,} bytes, which is the most")
    try:
        return told.decode()
    except UnicodeDecodeError as err:
        raise click.UsageError(f"{name} is not UTF-8: {err.reason} at byte {err.start}") from err
