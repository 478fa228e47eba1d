"""What the ledger reads: one manifest, or a page of them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gremium.v1 import ensemble_pb2, manifest_pb2
from gremium.v1.ledger_pb2 import RECORD_KIND_FEEDBACK, Attestation
from services.core.errors import UnknownRequestError
from services.ledger import chain, replies
from services.ledger.attest import attestation_of
from services.ledger.pages import Position, page_size, position_of, token
from services.ledger.reading import paged

PAGE_BYTES: Final = 4 * 1024 * 1024
"""A page ends early at this size, so that it fits a message."""
FEEDBACK_SHOWN: Final = 32
"""Newest records of feedback that a manifest shows."""

HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Charge:
    """What the requests of one caller to one ensemble count for, of those that began in one hour."""

    ensemble: str
    caller: str
    started: datetime
    """When that hour began."""
    usd: float
    """US dollars, >= 0: spent, or of those that never ended the most that they could spend."""


def charges(connection: sqlite3.Connection, since: datetime) -> list[Charge]:
    """All requests that began at `since` or later, by hour."""
    rows = connection.execute(
        "SELECT ensemble, caller, start_ns / ? AS hour, SUM(charged_usd) FROM manifests"
        " WHERE start_ns >= ? GROUP BY ensemble, caller, hour ORDER BY hour",
        (HOUR_S * 10**9, int(since.timestamp()) * 10**9),
    )
    return [
        Charge(ensemble, caller, datetime.fromtimestamp(hour * HOUR_S, UTC), usd)
        for ensemble, caller, hour, usd in rows
    ]


def manifest(
    connection: sqlite3.Connection, request_id: str, *, now_ns: int
) -> manifest_pb2.Manifest:
    """One manifest: whole as long as its reply is kept, from then on as recorded.

    Raises
    ------
    UnknownRequestError
        If there is no such request, or retention removed its record.
    """
    found = connection.execute(
        "SELECT m.state, m.manifest, r.payload FROM manifests m"
        " LEFT JOIN records r ON r.seq = m.seq WHERE m.request_id = ?",
        (request_id,),
    ).fetchone()
    if found is None:
        raise UnknownRequestError(f"the ledger has no request {request_id}")
    state, intent, payload = found
    if state == manifest_pb2.MANIFEST_STATE_IN_PROGRESS:
        return _with_feedback(connection, manifest_pb2.Manifest.FromString(intent))
    if (reply := replies.kept(connection, request_id, now_ns=now_ns)) is not None:
        return _with_feedback(connection, ensemble_pb2.AskResponse.FromString(reply).manifest)
    if payload is None:
        raise UnknownRequestError(f"retention removed the record of request {request_id}")
    return _with_feedback(connection, manifest_pb2.Manifest.FromString(payload))


def attestation(connection: sqlite3.Connection, request_id: str) -> Attestation | None:
    """The record of how a request ended; None if there is none, or no more."""
    found = connection.execute(
        "SELECT seq FROM manifests WHERE request_id = ? AND seq IS NOT NULL", (request_id,)
    ).fetchone()
    record = chain.record_at(connection, *found) if found else None
    if record is None or record.payload is None:
        return None
    return attestation_of(record, chain.chain_id_of(connection))


def manifests(
    connection: sqlite3.Connection, request: ensemble_pb2.ListManifestsRequest
) -> ensemble_pb2.ListManifestsResponse:
    """One page as recorded, newest first, at most 4 MiB unless a single manifest is larger.

    Raises
    ------
    InvalidRequestError
        If its token is foreign.
    """
    page = ensemble_pb2.ListManifestsResponse()
    size, used_bytes, last = page_size(request.page_size), 0, Position(0, "")
    for start_ns, request_id, blob in _rows(connection, request, limit=size + 1):
        found = _summary(connection, blob)
        used_bytes += found.ByteSize()
        if page.manifests and (len(page.manifests) == size or used_bytes > PAGE_BYTES):
            page.next_page_token = token(last, request)
            break
        page.manifests.append(found)
        last = Position(start_ns, request_id)
    return page


def _rows(
    connection: sqlite3.Connection, request: ensemble_pb2.ListManifestsRequest, *, limit: int
) -> sqlite3.Cursor:
    """What retention removed is left out."""
    conditions: dict[str, tuple[object, ...]] = {"(m.seq IS NULL OR r.payload IS NOT NULL)": ()}
    if request.ensemble:
        conditions["m.ensemble = ?"] = (request.ensemble,)
    if request.state:
        conditions["m.state = ?"] = (request.state,)
    if request.outcome:
        conditions["m.outcome = ?"] = (request.outcome,)
    if after := position_of(request):
        conditions["(m.start_ns, m.request_id) < (?, ?)"] = (after.start_ns, after.request_id)
    return connection.execute(
        "SELECT m.start_ns, m.request_id, COALESCE(r.payload, m.manifest) FROM manifests m"  # noqa: S608 - constants
        f" LEFT JOIN records r ON r.seq = m.seq WHERE {' AND '.join(conditions)}"
        " ORDER BY m.start_ns DESC, m.request_id DESC LIMIT ?",
        [*(value for values in conditions.values() for value in values), limit],
    )


def _summary(connection: sqlite3.Connection, blob: bytes) -> manifest_pb2.Manifest:
    """A manifest as lists have it: without answers and prompt."""
    read = manifest_pb2.Manifest.FromString(blob)
    read.ClearField("answers")
    read.ClearField("prompt")
    return _with_feedback(connection, read)


def _with_feedback(
    connection: sqlite3.Connection, read: manifest_pb2.Manifest
) -> manifest_pb2.Manifest:
    """A manifest with its newest feedback, oldest first."""
    newest = connection.execute(
        "SELECT payload FROM records WHERE request_id = ? AND kind = ? AND payload IS NOT NULL"
        " ORDER BY seq DESC LIMIT ?",
        (read.request_id, RECORD_KIND_FEEDBACK, FEEDBACK_SHOWN),
    ).fetchall()
    read.feedback.extend(manifest_pb2.Feedback.FromString(row) for (row,) in reversed(newest))
    return read


def ended(connection: sqlite3.Connection, *, labelled: bool) -> Iterator[manifest_pb2.Manifest]:
    """Manifests as recorded, oldest first, with their newest feedback.

    `labelled` ones are those with feedback, however they ended; else those that
    completed, with or without.
    """
    rows = paged(
        connection,
        "SELECT m.start_ns, m.request_id, r.payload, f.payload"  # noqa: S608 - constants
        " FROM manifests m JOIN records r ON r.seq = m.seq"
        f" {'JOIN' if labelled else 'LEFT JOIN'} records f ON f.seq = (SELECT MAX(seq) FROM records"
        "  WHERE request_id = m.request_id AND kind = ? AND payload IS NOT NULL)"
        f" WHERE r.payload IS NOT NULL {'' if labelled else 'AND +m.state = ?'}"
        " AND (m.start_ns, m.request_id) > (?, ?) ORDER BY m.start_ns, m.request_id",
        [RECORD_KIND_FEEDBACK, *([] if labelled else [manifest_pb2.MANIFEST_STATE_COMPLETED])],
    )
    for payload, feedback in rows:
        read = manifest_pb2.Manifest.FromString(payload)
        if feedback is not None:
            read.feedback.append(manifest_pb2.Feedback.FromString(feedback))
        yield read
