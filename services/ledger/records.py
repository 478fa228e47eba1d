"""What the ledger writes: intents, how they end, and feedback."""

import sqlite3
from dataclasses import asdict

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS
from services.core.errors import UnknownRequestError
from services.ledger.entries import Entry, interrupted, replayed, starts_anew


def begin(connection: sqlite3.Connection, *, entry: Entry, fingerprint: str) -> AskResponse | None:
    """Record an intent, or return what an earlier call with this request_id replied.

    The intent of a request that starts anew replaces its failure.

    Raises
    ------
    GremiumError
        If the earlier call still runs, had another body, or failed.
    """
    earlier = recorded(connection, request_id=entry.request_id, fingerprint=fingerprint)
    if earlier is not None:
        return earlier
    connection.execute(
        "INSERT INTO manifests (request_id, fingerprint, ensemble, state, outcome, start_ns,"
        " cost_micro_usd, caller, charged_usd, manifest, answers, reply) VALUES (:request_id,"
        " :fingerprint, :ensemble, :state, :outcome, :start_ns, :cost_micro_usd, :caller,"
        " :charged_usd, :manifest, :answers, :reply)"
        " ON CONFLICT (request_id) DO UPDATE SET state = excluded.state,"
        " start_ns = excluded.start_ns, cost_micro_usd = excluded.cost_micro_usd,"
        " caller = excluded.caller, charged_usd = excluded.charged_usd,"
        " manifest = excluded.manifest, answers = excluded.answers",
        {**asdict(entry), "fingerprint": fingerprint},
    )
    return None


def recorded(
    connection: sqlite3.Connection, *, request_id: str, fingerprint: str
) -> AskResponse | None:
    """What an earlier call with this request_id replied; None without one, or if it starts anew.

    Raises
    ------
    GremiumError
        If the earlier call still runs, had another body, or failed.
    """
    cursor = connection.execute(
        "SELECT fingerprint, state, manifest, answers, reply FROM manifests WHERE request_id = ?",
        (request_id,),
    )
    cursor.row_factory = sqlite3.Row
    earlier = cursor.fetchone()
    if earlier is None or starts_anew(
        fingerprint, **{key: earlier[key] for key in ("fingerprint", "state", "manifest")}
    ):
        return None
    return replayed(request_id, fingerprint, **dict(earlier))


def withdraw(connection: sqlite3.Connection, *, request_id: str) -> None:
    """Remove an intent whose caller left before anything was asked."""
    connection.execute(
        "DELETE FROM manifests WHERE request_id = ? AND state = ?",
        (request_id, MANIFEST_STATE_IN_PROGRESS),
    )


def end(connection: sqlite3.Connection, *, entry: Entry) -> None:
    """Replace an intent by the end of its request.

    Raises
    ------
    UnknownRequestError
        If there is no open intent.
    """
    ended = connection.execute(
        "UPDATE manifests SET state = :state, outcome = :outcome,"
        " cost_micro_usd = :cost_micro_usd, charged_usd = :charged_usd, manifest = :manifest, answers = :answers,"
        " reply = :reply WHERE request_id = :request_id AND state = :open",
        {**asdict(entry), "open": MANIFEST_STATE_IN_PROGRESS},
    )
    if ended.rowcount != 1:
        raise UnknownRequestError(f"request {entry.request_id} has no open intent")


def interrupt(connection: sqlite3.Connection) -> int:
    """Fail every open intent, and count them. Only for an owner that has begun nothing yet."""
    rows = connection.execute(
        "SELECT manifest FROM manifests WHERE state = ?", (MANIFEST_STATE_IN_PROGRESS,)
    ).fetchall()
    for (manifest,) in rows:
        end(connection, entry=interrupted(manifest))
    return len(rows)


def add_feedback(connection: sqlite3.Connection, *, request_id: str, feedback: bytes) -> None:
    """Add one serialised record.

    Raises
    ------
    UnknownRequestError
        If there is no such request.
    """
    added = connection.execute(
        "INSERT INTO feedback (request_id, feedback)"
        " SELECT request_id, ? FROM manifests WHERE request_id = ?",
        (feedback, request_id),
    )
    if added.rowcount != 1:
        raise UnknownRequestError(f"the ledger has no request {request_id}")
