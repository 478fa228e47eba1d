"""What the ledger reads: one manifest, or a page of them."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.core.errors import UnknownRequestError
from services.ledger.pages import Position, page_size, position_of, token

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


def manifest(connection: sqlite3.Connection, request_id: str) -> manifest_pb2.Manifest:
    """One whole manifest.

    Raises
    ------
    UnknownRequestError
        If there is no such request.
    """
    found = connection.execute(
        "SELECT manifest, answers FROM manifests WHERE request_id = ?", (request_id,)
    ).fetchone()
    if found is None:
        raise UnknownRequestError(f"the ledger has no request {request_id}")
    return _with_feedback(connection, b"".join(found))


def manifests(
    connection: sqlite3.Connection, request: ensemble_pb2.ListManifestsRequest
) -> ensemble_pb2.ListManifestsResponse:
    """One page, newest first, at most 4 MiB unless a single manifest is larger.

    Raises
    ------
    InvalidRequestError
        If its token is foreign.
    """
    page = ensemble_pb2.ListManifestsResponse()
    size, used_bytes, last = page_size(request.page_size), 0, Position(0, "")
    for start_ns, request_id, blob in _rows(connection, request, limit=size + 1):
        found = _with_feedback(connection, blob)
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
    conditions: dict[str, tuple[object, ...]] = {}
    if request.ensemble:
        conditions["ensemble = ?"] = (request.ensemble,)
    if request.state:
        conditions["state = ?"] = (request.state,)
    if request.outcome:
        conditions["outcome = ?"] = (request.outcome,)
    if after := position_of(request):
        conditions["(start_ns, request_id) < (?, ?)"] = (after.start_ns, after.request_id)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return connection.execute(
        f"SELECT start_ns, request_id, manifest FROM manifests {where}"  # noqa: S608 - constants
        " ORDER BY start_ns DESC, request_id DESC LIMIT ?",
        [*(value for values in conditions.values() for value in values), limit],
    )


def _with_feedback(connection: sqlite3.Connection, blob: bytes) -> manifest_pb2.Manifest:
    """A manifest with its newest feedback, oldest first."""
    read = manifest_pb2.Manifest.FromString(blob)
    newest = connection.execute(
        "SELECT feedback FROM feedback WHERE request_id = ? ORDER BY id DESC LIMIT ?",
        (read.request_id, FEEDBACK_SHOWN),
    ).fetchall()
    read.feedback.extend(manifest_pb2.Feedback.FromString(row) for (row,) in reversed(newest))
    return read
