"""Reads the requests that have ended, for whoever counts them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gremium.v1 import manifest_pb2, shadow_pb2
from gremium.v1.ledger_pb2 import RECORD_KIND_FEEDBACK, RECORD_KIND_SHADOW, RecordKind
from services.ledger.reading import paged, reading

ENDED: Final = (
    "SELECT m.start_ns, m.request_id, r.payload, f.payload"
    " FROM manifests m JOIN records r ON r.seq = m.seq"
    " LEFT JOIN records f ON f.seq = (SELECT MAX(seq) FROM records"
    " WHERE request_id = m.request_id AND kind = ?)"
    " WHERE r.payload IS NOT NULL {of_ensembles} AND (m.start_ns, m.request_id) > (?, ?)"
    " ORDER BY m.start_ns, m.request_id"
)
SHADOWS: Final = (
    "SELECT m.start_ns, m.request_id, s.payload"
    " FROM manifests m JOIN records s ON s.seq = (SELECT MAX(seq) FROM records"
    " WHERE request_id = m.request_id AND kind = ?)"
    " WHERE s.payload IS NOT NULL {of_ensembles} AND (m.start_ns, m.request_id) > (?, ?)"
    " ORDER BY m.start_ns, m.request_id"
)


@dataclass(frozen=True, slots=True)
class Which:
    """Requests that count."""

    since_ns: int = 0
    """They began at this time or later, nanoseconds since 1970."""
    ensembles: Sequence[str] = ()
    """Of these ensembles; empty: of all."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """They have all of these labels of their callers."""


def ended(path: Path, which: Which) -> Iterator[manifest_pb2.Manifest]:
    """Manifests of requests that have ended, oldest first, each with its newest feedback.

    Reads while a gateway writes, one after the other; writes nothing.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger of this version.
    """
    with reading(path) as connection:
        for payload, feedback in _rows(connection, ENDED, RECORD_KIND_FEEDBACK, which):
            found = _manifest(payload, feedback)
            if which.labels.items() <= dict(found.labels).items():
                yield found


def shadows(path: Path, which: Which) -> Iterator[shadow_pb2.ShadowRecord]:
    """What cheaper tiers would have answered to such requests; labels are not looked at.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger of this version.
    """
    with reading(path) as connection:
        yield from shadow_records(connection, which)


def shadow_records(
    connection: sqlite3.Connection, which: Which
) -> Iterator[shadow_pb2.ShadowRecord]:
    """The same of a ledger that is open."""
    for (payload,) in _rows(connection, SHADOWS, RECORD_KIND_SHADOW, which):
        yield shadow_pb2.ShadowRecord.FromString(payload)


def shadows_by_request(path: Path, ensembles: Sequence[str]) -> dict[str, shadow_pb2.ShadowRecord]:
    """The last record of each request that a cheaper tier was asked, too, of these or all ensembles.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger of this version.
    """
    return {each.request_id: each for each in shadows(path, Which(ensembles=ensembles))}


def _rows(
    connection: sqlite3.Connection, query: str, kind: RecordKind.ValueType, which: Which
) -> Iterator[tuple[Any, ...]]:
    """`+`: rows come by the index of their order, whatever else there is one of."""
    marks = ", ".join("?" for _ in which.ensembles)
    wanted = f"AND +m.ensemble IN ({marks})" if which.ensembles else ""
    values = (kind, *which.ensembles)
    return paged(connection, query.format(of_ensembles=wanted), values, since_ns=which.since_ns)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Requests with feedback."""

    last: int
    """Place of the newest feedback in the chain; 0: there is none."""
    manifests: Sequence[manifest_pb2.Manifest]


NEWEST: Final = "SELECT MAX(seq) FROM records WHERE seq > ? AND kind = ?"
LABELLED: Final = (
    "SELECT r.payload, f.payload FROM records f JOIN manifests m ON m.request_id = f.request_id"
    " JOIN records r ON r.seq = m.seq WHERE f.kind = ? AND f.payload IS NOT NULL"
    " AND r.payload IS NOT NULL AND f.seq = (SELECT MAX(seq) FROM records"
    " WHERE request_id = f.request_id AND kind = f.kind) ORDER BY f.seq DESC LIMIT ?"
)


def latest_labelled(path: Path, *, after: int, most: int) -> Labelled:
    """Requests that got feedback last, newest first; none without new feedback behind `after`.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger of this version.
    """
    with reading(path) as connection:
        (last,) = connection.execute(NEWEST, (after, RECORD_KIND_FEEDBACK)).fetchone()
        if last is None:
            return Labelled(after, ())
        rows = connection.execute(LABELLED, (RECORD_KIND_FEEDBACK, most))
        return Labelled(last, [_manifest(*row) for row in rows])


def _manifest(payload: bytes, feedback: bytes | None) -> manifest_pb2.Manifest:
    found = manifest_pb2.Manifest.FromString(payload)
    if feedback is not None:
        found.feedback.append(manifest_pb2.Feedback.FromString(feedback))
    return found
