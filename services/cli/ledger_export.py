"""`gremium ledger export`: records for other programs, as lines of JSON or as Parquet."""

import importlib.util
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Final, Literal

import click
from rich.table import Table

from services.cli.ages import AGE
from services.cli.ledger_place import Place, ledger_argument, place_of
from services.cli.ledger_training import FIELDS as LEARNED
from services.cli.ledger_training import learned_of, write_lines, write_rows
from services.cli.options import OUT_FILE, config_option, json_option
from services.cli.pacing import now_and_then
from services.cli.progress import Progress
from services.cli.show import plain_table, screen
from services.cli.words import counted
from services.ledger.columns import MESSAGES
from services.ledger.export import FIELDS, write_jsonl, write_parquet
from services.ledger.lines import Which, lines
from services.ledger.parquet import Field

Format = Literal["jsonl", "parquet"]


@dataclass(frozen=True, slots=True)
class Export:
    """How it is written in each format; each returns how many rows there were."""

    lines: Callable[[IO[str]], int]
    table: Callable[[IO[bytes]], int]


NUMBERS: Final = {name: number for number, (name, _) in MESSAGES.items()}


@click.command(short_help="Write records for other programs.")
@ledger_argument
@click.option(
    "--format",
    "format_",
    type=click.Choice(["jsonl", "parquet"]),
    default="jsonl",
    show_default=True,
    help="One JSON object a line, or one compressed table.",
)
@click.option(
    "--to",
    "to",
    type=OUT_FILE,
    help="File to write; unset or -: standard output.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(sorted(NUMBERS)),
    help="Only this kind of record; repeatable.",
)
@click.option("--since", type=AGE, help="Only what was recorded in this time, such as 7d.")
@click.option(
    "--training",
    is_flag=True,
    help="Rows to learn from instead: features of prompts, models, how good they were.",
)
@click.option(
    "--ensemble", "ensembles", multiple=True, help="With --training: only this; repeatable."
)
@click.option(
    "--texts", is_flag=True, help="With --training: questions, too, where the ledger has them."
)
@click.option("--columns", is_flag=True, help="Only tell which columns an export has.")
@config_option
@json_option('Print {"rows": N, "file": FILE}; needs --to FILE.')
def export(
    *,
    ledger: Path | None,
    format_: Format,
    to: Path | None,
    kinds: tuple[str, ...],
    since: timedelta | None,
    training: bool,
    ensembles: tuple[str, ...],
    texts: bool,
    columns: bool,
    config: Path | None,
    as_json: bool,
) -> int:
    """Write the records, oldest first, each with its columns and all that it holds.

    Runs beside a gateway that serves; what is recorded meanwhile is left out. Texts are there as
    far as `ledger.texts` lets them be recorded. Parquet needs pyarrow.
    """
    if columns:
        screen().print(_columns(LEARNED if training else FIELDS))
        return 0
    file = None if to in {None, Path("-")} else to
    if as_json and file is None:
        raise click.UsageError("--json needs --to FILE: the export itself goes to standard output")
    if format_ == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise click.ClickException("needs pyarrow: pip install 'gremium[parquet]'")
    place, progress = place_of(ledger, config), Progress(quiet=as_json)
    which = Which(frozenset(NUMBERS[kind] for kind in kinds), since_ns=_since_ns(since))
    if training:
        export_ = _training(place, ensembles, progress, texts=texts)
    else:
        export_ = _records(place, which, progress)
    rows = _written(format_, export_, file)
    if as_json:
        click.echo(json.dumps({"rows": rows, "file": str(file)}))
    else:
        progress.say(f"{counted(rows, 'row')}{f' written to {file}' if file else ''}")
    return 0


def _records(place: Place, which: Which, progress: Progress) -> Export:
    tell = now_and_then(progress.say)
    found = lines(place.path, which, tell=lambda done, last: tell(f"record {done} of {last}"))
    return Export(partial(write_jsonl, found), partial(write_parquet, found))


def _training(place: Place, ensembles: Sequence[str], progress: Progress, *, texts: bool) -> Export:
    learned = learned_of(place, ensembles=ensembles, texts=texts)
    for why, number in sorted(learned.left_out.items()):
        progress.say(f"{counted(number, 'request')} left out: {why}")
    return Export(partial(write_lines, learned.lines), partial(write_rows, learned.lines))


def _since_ns(since: timedelta | None) -> int:
    return 0 if since is None else time.time_ns() - round(since.total_seconds() * 1e9)


def _written(format_: Format, export_: Export, file: Path | None) -> int:
    """Write all; a file is there only once it is whole."""
    if file is None:
        return _to_stdout(format_, export_)
    part = file.with_name(f"{file.name}.part")
    try:
        if format_ == "parquet":
            with part.open("wb") as table:
                rows = export_.table(table)
        else:
            with part.open("w", encoding="utf-8") as text:
                rows = export_.lines(text)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return rows


def _to_stdout(format_: Format, export_: Export) -> int:
    return export_.table(sys.stdout.buffer) if format_ == "parquet" else export_.lines(sys.stdout)


def _columns(fields: Sequence[Field]) -> Table:
    table = plain_table("column", "type", "what it holds")
    for field in fields:
        type_ = field.type if isinstance(field.type, str) else "list"
        table.add_row(field.name, type_, field.text)
    return table
