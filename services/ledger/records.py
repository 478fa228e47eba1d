"""What the ledger writes: intents, what they spend, how they end, and what is said of them."""

import sqlite3
import time
from dataclasses import asdict
from typing import Final

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.ledger_pb2 import RECORD_KIND_END, RecordKind
from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS, Manifest
from services.core.errors import UnknownRequestError
from services.ledger import chain, ends, entries, replies
from services.ledger.ends import End
from services.ledger.entries import Earlier, Entry
from services.ledger.signing import Signer
from services.ledger.texts import Texts

WITHOUT_WORDS: Final = Texts()
INTENT: Final = (
    "INSERT INTO manifests (request_id, fingerprint, ensemble, state, outcome, start_ns,"
    " cost_micro_usd, caller, charged_usd, manifest) VALUES (:request_id, :fingerprint, :ensemble,"
    " :state, :outcome, :start_ns, :cost_micro_usd, :caller, :charged_usd, :manifest)"
    " ON CONFLICT (request_id) DO UPDATE SET state = excluded.state, start_ns = excluded.start_ns,"
    " cost_micro_usd = excluded.cost_micro_usd, caller = excluded.caller,"
    " charged_usd = excluded.charged_usd, manifest = excluded.manifest, seq = NULL"
)
"""A row for an intent; one that starts anew takes the row of its failure."""


def begin(
    connection: sqlite3.Connection,
    *,
    entry: Entry,
    manifest: bytes,
    fingerprint: str,
    now_ns: int,
) -> AskResponse | None:
    """Record an intent, or return what an earlier call with this request_id replied.

    The intent of a request that starts anew takes the row of its failure, whose
    record stays, and whose reply does until it ends.

    Raises
    ------
    GremiumError
        If the earlier call still runs, had another body, failed, or expired.
    """
    earlier = recorded(
        connection, request_id=entry.request_id, fingerprint=fingerprint, now_ns=now_ns
    )
    if earlier is not None:
        return earlier
    row = {**asdict(entry), "manifest": manifest, "fingerprint": fingerprint}
    connection.execute(INTENT, row)
    return None


def recorded(
    connection: sqlite3.Connection, *, request_id: str, fingerprint: str, now_ns: int
) -> AskResponse | None:
    """What an earlier call with this request_id replied; None without one, or if it starts anew.

    Raises
    ------
    GremiumError
        If the earlier call still runs, had another body, failed, or expired.
    """
    found = connection.execute(
        "SELECT m.request_id, m.fingerprint, m.state, r.payload, p.reply FROM manifests m"
        " LEFT JOIN records r ON r.seq = m.seq"
        " LEFT JOIN replies p ON p.request_id = m.request_id AND p.expires_ns > ?"
        " WHERE m.request_id = ?",
        (now_ns, request_id),
    ).fetchone()
    return entries.replayed(Earlier(*found), fingerprint=fingerprint) if found else None


def withdraw(connection: sqlite3.Connection, *, request_id: str) -> None:
    """Remove an intent whose caller left before anything was asked.

    One that started anew is again what its latest record says.
    """
    last = chain.latest(connection, request_id, RECORD_KIND_END)
    if last is None or last.payload is None:
        connection.execute(
            "DELETE FROM manifests WHERE request_id = ? AND state = ?",
            (request_id, MANIFEST_STATE_IN_PROGRESS),
        )
    else:
        _settle(connection, entries.ended(Manifest.FromString(last.payload)), last.seq)


def spent(connection: sqlite3.Connection, *, manifest: Manifest) -> None:
    """Keep whom a request that runs has asked so far, without words; else do nothing."""
    WITHOUT_WORDS.settle(manifest)
    connection.execute(
        "UPDATE manifests SET manifest = ? WHERE request_id = ? AND state = ?",
        (manifest.SerializeToString(), manifest.request_id, MANIFEST_STATE_IN_PROGRESS),
    )


def finish(connection: sqlite3.Connection, *, ended: End, signer: Signer | None) -> None:
    """Append the end of a request to the chain, and close its intent.

    Raises
    ------
    UnknownRequestError
        If there is no open intent.
    """
    end(connection, ended=ended, signer=signer, now_ns=time.time_ns())


def end(connection: sqlite3.Connection, *, ended: End, signer: Signer | None, now_ns: int) -> None:
    """Append the end of a request to the chain, and close its intent.

    Raises
    ------
    UnknownRequestError
        If there is no open intent.
    """
    entry = ended.entry
    open_state = connection.execute(
        "SELECT 1 FROM manifests WHERE request_id = ? AND state = ?",
        (entry.request_id, MANIFEST_STATE_IN_PROGRESS),
    ).fetchone()
    if open_state is None:
        raise UnknownRequestError(f"request {entry.request_id} has no open intent")
    seq = chain.append(
        connection,
        RECORD_KIND_END,
        request_id=entry.request_id,
        payload=ended.record,
        time_ns=now_ns,
        signer=signer,
    )
    _settle(connection, entry, seq)
    expires_ns = now_ns + ended.kept_ns
    replies.keep(connection, entry.request_id, ended.reply, expires_ns=expires_ns)


def _settle(connection: sqlite3.Connection, entry: Entry, seq: int) -> None:
    """Let an open row say how its request ended, and where its record stands."""
    connection.execute(
        "UPDATE manifests SET state = :state, outcome = :outcome, start_ns = :start_ns,"
        " cost_micro_usd = :cost_micro_usd, caller = :caller, charged_usd = :charged_usd,"
        " manifest = x'', seq = :seq WHERE request_id = :request_id AND state = :open",
        {**asdict(entry), "seq": seq, "open": MANIFEST_STATE_IN_PROGRESS},
    )


def interrupt(connection: sqlite3.Connection, *, signer: Signer | None, now_ns: int) -> int:
    """End every open intent, and count them. Only for an owner that has begun nothing yet."""
    rows = connection.execute(
        "SELECT manifest FROM manifests WHERE state = ? ORDER BY start_ns, request_id",
        (MANIFEST_STATE_IN_PROGRESS,),
    ).fetchall()
    for (blob,) in rows:
        end(connection, ended=ends.interrupted(blob), signer=signer, now_ns=now_ns)
    return len(rows)


def add(
    connection: sqlite3.Connection,
    *,
    kind: RecordKind.ValueType,
    request_id: str,
    payload: bytes,
    signer: Signer | None,
    now_ns: int,
) -> None:
    """Append what is said of a request.

    Raises
    ------
    UnknownRequestError
        If there is no such request.
    """
    known = connection.execute("SELECT 1 FROM manifests WHERE request_id = ?", (request_id,))
    if known.fetchone() is None:
        raise UnknownRequestError(f"the ledger has no request {request_id}")
    chain.append(
        connection, kind, request_id=request_id, payload=payload, time_ns=now_ns, signer=signer
    )
