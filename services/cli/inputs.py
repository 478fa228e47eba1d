"""Reads what a question consists of: a text, from standard input if it is `-`, and a schema."""

import sys
from pathlib import Path
from typing import BinaryIO, Final

import click

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
        If standard input is closed, longer than a question may be, or no UTF-8.
    """
    if given != STDIN:
        return given
    if sys.stdin is None:
        raise click.UsageError("standard input is closed, so no question can be read from it")
    return _read(sys.stdin.buffer, "standard input", at_most=MOST_TEXT_BYTES)


def schema_text(path: Path | None) -> str | None:
    """What a file with a JSON Schema says; None without a file.

    Raises
    ------
    click.UsageError
        If it is longer than a schema may be, or no UTF-8.
    OSError
        If it cannot be read.
    """
    if path is None:
        return None
    with path.open("rb") as file:
        return _read(file, str(path), at_most=MOST_SCHEMA_BYTES)


def _read(file: BinaryIO, name: str, *, at_most: int) -> str:
    told = file.read(at_most + 1)
    if len(told) > at_most:
        raise click.UsageError(f"{name} has more than {at_most:,} bytes, which is the most")
    try:
        return told.decode()
    except UnicodeDecodeError as err:
        raise click.UsageError(f"{name} is not UTF-8: {err.reason} at byte {err.start}") from err
