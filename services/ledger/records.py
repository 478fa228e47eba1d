"""What the ledger writes: intents, how they end, and feedback."""

import sqlite3
from typing import Final

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.core.errors import (
    GremiumError,
    InternalError,
    RequestIdReusedError,
    RequestInProgressError,
    UnknownRequestError,
)

INTERRUPTED: Final = manifest_pb2.ErrorRecord(
    code="ABORTED",
    reason="INTERRUPTED",
    message="the gateway stopped before the request ended; models may have been asked",
)


def begin(
    connection: sqlite3.Connection, manifest: manifest_pb2.Manifest, fingerprint: str
) -> ensemble_pb2.AskResponse | None:
    """Record an intent, or return what an earlier call with this request_id replied.

    Raises
    ------
    GremiumError
        If the earlier call still runs, had another body, or failed.
    """
    earlier = connection.execute(
        "SELECT fingerprint, state, manifest, answers, reply FROM manifests WHERE request_id = ?",
        (manifest.request_id,),
    ).fetchone()
    if earlier is None:
        _insert(connection, manifest, fingerprint)
        return None
    return _replay(manifest.request_id, fingerprint, *earlier)


def _replay(
    request_id: str, asked: str, fingerprint: str, state: int, *blobs: bytes
) -> ensemble_pb2.AskResponse:
    if asked != fingerprint:
        raise RequestIdReusedError(f"request_id {request_id} was used with another body")
    if state == manifest_pb2.MANIFEST_STATE_IN_PROGRESS:
        raise RequestInProgressError(f"the first call with request_id {request_id} still runs")
    manifest, answers, reply = blobs
    whole = manifest_pb2.Manifest.FromString(manifest + answers)
    if state == manifest_pb2.MANIFEST_STATE_FAILED:
        raise _error(request_id, whole.error)
    replayed = ensemble_pb2.AskResponse.FromString(reply)
    replayed.manifest.CopyFrom(whole)
    replayed.replayed = True
    return replayed


def _error(request_id: str, record: manifest_pb2.ErrorRecord) -> GremiumError:
    """The recorded error, as its own class."""
    by_reason = {known.reason: known for known in GremiumError.__subclasses__()}
    known = by_reason.get(record.reason, InternalError)
    return known(record.message, request_id=request_id, replayed="true")


def _insert(
    connection: sqlite3.Connection, manifest: manifest_pb2.Manifest, fingerprint: str
) -> None:
    summary, answers = _split(manifest, manifest_pb2.MANIFEST_STATE_IN_PROGRESS)
    connection.execute(
        "INSERT INTO manifests (request_id, fingerprint, ensemble, state, outcome, start_ns,"
        " cost_micro_usd, manifest, answers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            summary.request_id,
            fingerprint,
            summary.ensemble,
            summary.state,
            summary.outcome,
            summary.start_time.ToNanoseconds(),
            _micro_usd(summary),
            summary.SerializeToString(),
            answers,
        ),
    )


def withdraw(connection: sqlite3.Connection, request_id: str) -> None:
    """Remove an intent whose caller left before anything was asked."""
    connection.execute(
        "DELETE FROM manifests WHERE request_id = ? AND state = ?",
        (request_id, manifest_pb2.MANIFEST_STATE_IN_PROGRESS),
    )


def finish(connection: sqlite3.Connection, reply: ensemble_pb2.AskResponse) -> None:
    """Complete an intent with what is replied.

    Raises
    ------
    UnknownRequestError
        If there is no open intent.
    """
    rest = ensemble_pb2.AskResponse()
    rest.CopyFrom(reply)
    rest.ClearField("manifest")
    state = manifest_pb2.MANIFEST_STATE_COMPLETED
    _end(connection, reply.manifest, state, rest.SerializeToString())


def fail(connection: sqlite3.Connection, manifest: manifest_pb2.Manifest) -> None:
    """Complete an intent with its error.

    Raises
    ------
    UnknownRequestError
        If there is no open intent.
    """
    _end(connection, manifest, manifest_pb2.MANIFEST_STATE_FAILED, None)


def _end(
    connection: sqlite3.Connection,
    manifest: manifest_pb2.Manifest,
    state: manifest_pb2.ManifestState.ValueType,
    reply: bytes | None,
) -> None:
    summary, answers = _split(manifest, state)
    ended = connection.execute(
        "UPDATE manifests SET state = ?, outcome = ?, cost_micro_usd = ?, manifest = ?,"
        " answers = ?, reply = ? WHERE request_id = ? AND state = ?",
        (
            summary.state,
            summary.outcome,
            _micro_usd(summary),
            summary.SerializeToString(),
            answers,
            reply,
            summary.request_id,
            manifest_pb2.MANIFEST_STATE_IN_PROGRESS,
        ),
    )
    if ended.rowcount != 1:
        raise UnknownRequestError(f"request {summary.request_id} has no open intent")


def _split(
    manifest: manifest_pb2.Manifest, state: manifest_pb2.ManifestState.ValueType
) -> tuple[manifest_pb2.Manifest, bytes]:
    """The manifest without its answers, and the answers as a manifest that has nothing else.

    Serialised messages merge by concatenation, so both blobs together are
    the whole manifest, and a list never reads the large one.
    """
    summary = manifest_pb2.Manifest()
    summary.CopyFrom(manifest)
    summary.ClearField("answers")
    summary.ClearField("feedback")
    summary.state = state
    return summary, manifest_pb2.Manifest(answers=manifest.answers).SerializeToString()


def _micro_usd(manifest: manifest_pb2.Manifest) -> int:
    return round(manifest.cost_usd * 1e6)


def interrupt(connection: sqlite3.Connection) -> int:
    """Fail every open intent, and count them. Only for an owner that has begun nothing yet."""
    is_open = (manifest_pb2.MANIFEST_STATE_IN_PROGRESS,)
    rows = connection.execute("SELECT manifest FROM manifests WHERE state = ?", is_open).fetchall()
    for (blob,) in rows:
        manifest = manifest_pb2.Manifest.FromString(blob)
        manifest.error.CopyFrom(INTERRUPTED)
        fail(connection, manifest)
    return len(rows)


def add_feedback(
    connection: sqlite3.Connection, request_id: str, feedback: manifest_pb2.Feedback
) -> None:
    """Add one record.

    Raises
    ------
    UnknownRequestError
        If there is no such request.
    """
    added = connection.execute(
        "INSERT INTO feedback (request_id, feedback)"
        " SELECT request_id, ? FROM manifests WHERE request_id = ?",
        (feedback.SerializeToString(), request_id),
    )
    if added.rowcount != 1:
        raise UnknownRequestError(f"the ledger has no request {request_id}")
