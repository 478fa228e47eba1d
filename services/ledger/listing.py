"""Holds the table that requests are searched and charged by against the records that it stands on."""

import sqlite3
from dataclasses import astuple, fields
from typing import Final

from google.protobuf.message import DecodeError

from gremium.v1.ledger_pb2 import RECORD_KIND_END
from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS, Manifest
from services.ledger import entries
from services.ledger.audit import Fault

COLUMNS: Final = tuple(each.name for each in fields(entries.Entry))
LISTED: Final = (
    f"SELECT m.seq, r.kind, r.payload, {', '.join(f'm.{name}' for name in COLUMNS)}"  # noqa: S608 - constants
    " FROM manifests m LEFT JOIN records r ON r.seq = m.seq WHERE m.state != ? ORDER BY m.seq"
)
RUNNING: Final = """
    SELECT m.request_id, r.seq, r.payload FROM manifests m JOIN records r ON r.seq =
           (SELECT MAX(seq) FROM records WHERE request_id = m.request_id AND kind = ?)
     WHERE m.state = ? AND r.payload IS NOT NULL
"""
"""Requests that are said to run, though one of them has ended before."""
UNLISTED: Final = """
    SELECT MIN(r.seq) FROM records r LEFT JOIN manifests m ON m.request_id = r.request_id
     WHERE r.kind = ? AND r.seq > ? AND m.request_id IS NULL
"""


def misfit(connection: sqlite3.Connection, *, after: int) -> Fault | None:
    """The first record behind a place that the table does not show as it is; None: it shows all."""
    for seq, kind, payload, *row in connection.execute(LISTED, (MANIFEST_STATE_IN_PROGRESS,)):
        if problem := _problem(kind, payload, tuple(row)):
            return Fault(seq or 0, f"the list of requests shows {row[0]} otherwise: {problem}")
    for request_id, seq, payload in connection.execute(
        RUNNING, (RECORD_KIND_END, MANIFEST_STATE_IN_PROGRESS)
    ):
        if not entries.starts_anew(Manifest.FromString(payload)):
            return Fault(
                seq, f"the list of requests shows {request_id} as running, which has ended"
            )
    (seq,) = connection.execute(UNLISTED, (RECORD_KIND_END, after)).fetchone()
    return Fault(seq, f"the list of requests lacks record {seq}") if seq else None


def _problem(kind: int | None, payload: bytes | None, row: tuple[object, ...]) -> str:
    """What is wrong with a row that should show this record; empty: nothing."""
    if kind != RECORD_KIND_END or payload is None:
        return "it has no record"
    try:
        expected = _entry(Manifest.FromString(payload))
    except DecodeError:
        return "its record is no manifest"
    wrong = [
        name
        for name, value, shown in zip(COLUMNS, astuple(expected), row, strict=True)
        if value != shown
    ]
    return f"its record has another {wrong[0]}" if wrong else ""


def _entry(manifest: Manifest) -> entries.Entry:
    if manifest.error.reason == entries.INTERRUPTED.reason:
        return entries.interrupted(manifest)
    return entries.ended(manifest)
