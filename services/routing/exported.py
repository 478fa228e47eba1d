"""Labelled rows out of the ledger, as lines that `read_rows` reads: what to train a router on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gremium.v1 import manifest_pb2
from services.core.errors import InvalidRequestError
from services.routing.recorded import rows_of_ledger
from services.routing.rows import Rows
from services.routing.shadowed import NONE, Shadows
from services.runtime.wire import prompt_from_wire


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """Lines, and what of the ledger is not among them."""

    lines: list[dict[str, Any]]
    """One for a request: features of its prompt, and how each model did."""
    left_out: Mapping[str, int]
    """Requests by reason."""


def training(
    manifests: Iterable[manifest_pb2.Manifest],
    *,
    embedding: str,
    ensembles: Iterable[str] = (),
    texts: bool = False,
    shadows: Shadows = NONE,
) -> Training:
    """What requests tell of models.

    Parameters
    ----------
    manifests : iterable of Manifest
        Completed ones, each with its newest feedback.
    embedding : str
        The configured one: vectors of others do not compare.
    ensembles : iterable of str
        Only of these; none: of all.
    texts : bool
        Whether questions are told, too, where the ledger has them.
    shadows : mapping of str to ShadowRecord
        As `rows_of_ledger` takes them.

    Raises
    ------
    RowsError
        If no request can be learned from; tells why of how many.
    """
    questions: dict[str, str] = {}
    read = _noting(manifests, questions) if texts else manifests
    found = rows_of_ledger(read, embedding=embedding, ensembles=ensembles, shadows=shadows)
    lines = [_line(found.rows, at, questions) for at in range(len(found.rows))]
    return Training(lines, found.left_out)


def _noting(
    manifests: Iterable[manifest_pb2.Manifest], questions: dict[str, str]
) -> Iterator[manifest_pb2.Manifest]:
    for manifest in manifests:
        if manifest.HasField("prompt") and (question := _question(manifest)):
            questions[manifest.request_id] = question
        yield manifest


def _question(manifest: manifest_pb2.Manifest) -> str:
    """What was asked; empty where what redaction left of it is no prompt."""
    try:
        return prompt_from_wire(manifest.prompt).question
    except InvalidRequestError:
        return ""


def _line(rows: Rows, at: int, questions: Mapping[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = {"id": rows.ids[at], "key": rows.keys[at]}
    if question := questions.get(rows.ids[at]):
        line["prompt"] = question
    if rows.domains[at]:
        line["domain"] = rows.domains[at]
    line["features"] = rows.features[at].tolist()
    if rows.vectors[at].any():
        line["vector"] = [round(float(number), 6) for number in rows.vectors[at]]
    line["outcomes"] = {
        model: _outcome(rows, at, nth)
        for nth, model in enumerate(rows.models)
        if not np.isnan(rows.labels[at, nth])
    }
    return line


def _outcome(rows: Rows, at: int, nth: int) -> dict[str, float]:
    told = {
        "quality": rows.labels[at, nth],
        "cost_usd": rows.costs_usd[at, nth],
        "output_tokens": rows.output_tokens[at, nth],
    }
    return {name: float(value) for name, value in told.items() if not np.isnan(value)}
