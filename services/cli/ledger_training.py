"""Rows to learn from out of a ledger: what is known of prompts, which model, how it did."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import click

from services.cli.ledger_place import Place
from services.ledger.parquet import Field, write_table
from services.ledger.reported import shadows_by_request
from services.ledger.routed import answered
from services.routing.configured import embedding_name
from services.routing.exported import Training, training
from services.routing.rows import RowsError

FIELDS: Final = (
    Field("id", "text", "The request."),
    Field("key", "text", "The same for the same question."),
    Field("prompt", "text", "The question; only where texts are wanted and the ledger has it."),
    Field("domain", "text", "Its field of knowledge, where one is known."),
    Field("features", "numbers", "What is known of the prompt, in the order of the router's."),
    Field("vector", "numbers", "Its embedding, where `router.record` keeps it."),
    Field("model", "text", "Roster name of a model that was asked."),
    Field("quality", "number", "How good its answer was, in [0, 1]."),
    Field("cost_usd", "number", "What it cost, US dollars."),
    Field("output_tokens", "number", "Tokens that it wrote."),
)
"""Columns of the table: one row for each request and model."""


def learned_of(place: Place, *, ensembles: Sequence[str], texts: bool) -> Training:
    """What the ledger's requests tell of models.

    Raises
    ------
    click.ClickException
        If no request can be learned from, or no configuration tells the embedding.
    """
    if place.loaded is None:
        raise click.UsageError("--training needs --config FILE: it tells the embedding")
    try:
        return training(
            answered(place.path),
            embedding=embedding_name(place.loaded.config.embeddings),
            ensembles=ensembles,
            texts=texts,
            shadows=shadows_by_request(place.path, ensembles),
        )
    except RowsError as err:
        raise click.ClickException(str(err)) from err


def write_lines(lines: Iterable[Mapping[str, Any]], out: IO[str]) -> int:
    """One object a line for each request, as `gremium router train --from` reads it."""
    number = 0
    for line in lines:
        out.write(f"{json.dumps(line, ensure_ascii=False)}\n")
        number += 1
    return number


def write_rows(lines: Iterable[Mapping[str, Any]], out: IO[bytes]) -> int:
    """A Parquet table with one row for each request and model. Returns how many it has."""
    return write_table(_rows(lines), FIELDS, out)


def _rows(lines: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for line in lines:
        prompt = {each.name: line.get(each.name) for each in FIELDS}
        for model, outcome in line["outcomes"].items():
            yield {**prompt, "model": model, **outcome}
