"""The chain of records: how each one is hashed, appended and read."""

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gremium.v1.ledger_pb2 import RecordKind
from services.ledger.signing import Signer

TAG: Final = b"gremium.v1.record"
"""Keeps hashes of records apart from all others."""
START: Final = bytes(32)
"""What the first record follows."""
COLUMNS: Final = (
    "seq, kind, request_id, time_ns, payload, payload_sha256, previous, hash, signature"
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as its row has it."""

    seq: int
    """Place in the chain, from 1 on without gaps."""
    kind: int
    """A `RecordKind`."""
    request_id: str
    """Empty for a record that is of no request."""
    time_ns: int
    """When it was recorded, nanoseconds since 1970; of a file of an earlier version, when the
    request had ended."""
    payload: bytes | None
    """The message of its kind; None where retention removed it."""
    payload_sha256: bytes
    previous: bytes
    """Hash of the record before it."""
    hash: bytes
    signature: bytes
    """As `Signer` gives it; empty without a key."""


def hash_of(record: Record, chain_id: str) -> bytes:
    """SHA-256 of all that a record says, each part after its length.

    Not of `hash` and `signature`, and of the payload by its digest.
    """
    parts = (
        TAG,
        chain_id.encode(),
        record.seq.to_bytes(8, "big", signed=True),
        record.kind.to_bytes(4, "big", signed=True),
        record.request_id.encode(),
        record.time_ns.to_bytes(8, "big", signed=True),
        record.payload_sha256,
        record.previous,
    )
    encoded = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.sha256(encoded).digest()


def problem_of(record: Record, chain_id: str, *, seq: int, previous: bytes) -> str:
    """What is wrong with a record that should be the `seq`th and follow `previous`.

    Empty: nothing. Its signature is `signing.Verifier`'s.
    """
    if record.seq != seq:
        return f"record {seq} is missing"
    if record.previous != previous:
        return f"record {seq} does not follow the one before it"
    kept = record.payload is not None
    if kept and hashlib.sha256(record.payload or b"").digest() != record.payload_sha256:
        return f"the content of record {seq} was changed"
    if not _is_hashable(record) or hash_of(record, chain_id) != record.hash:
        return f"record {seq} was changed"
    return ""


def _is_hashable(record: Record) -> bool:
    """Whether its kind is a number that a kind can have; a column holds larger ones."""
    return -(2**31) <= record.kind < 2**31


def append(
    connection: sqlite3.Connection,
    kind: RecordKind.ValueType,
    *,
    request_id: str,
    payload: bytes,
    time_ns: int,
    signer: Signer | None,
) -> int:
    """Append a record inside the open transaction; returns its place."""
    digest, (last, previous) = hashlib.sha256(payload).digest(), _end_of(connection)
    record = Record(last + 1, kind, request_id, time_ns, payload, digest, previous, b"", b"")
    hashed = hash_of(record, chain_id_of(connection))
    signature = signer.sign(hashed) if signer else b""
    connection.execute(
        f"INSERT INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
        (record.seq, kind, request_id, time_ns, payload, digest, previous, hashed, signature),
    )
    return record.seq


def _end_of(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Place and hash of the last record; of an empty ledger what the first one follows."""
    found = connection.execute("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    return found or (0, START)


def chain_id_of(connection: sqlite3.Connection) -> str:
    """Name of the chain, made at random with its file."""
    (chain_id,) = connection.execute("SELECT chain_id FROM chain").fetchone()
    return str(chain_id)


def head(connection: sqlite3.Connection) -> Record | None:
    """The last record; None in an empty ledger."""
    return _one(connection, "ORDER BY seq DESC LIMIT 1")


def record_at(connection: sqlite3.Connection, seq: int) -> Record | None:
    """The record at a place of the chain; None if there is none."""
    return _one(connection, "WHERE seq = ?", seq)


def latest(
    connection: sqlite3.Connection, request_id: str, kind: RecordKind.ValueType
) -> Record | None:
    """The last record of one kind that a request has; None if it has none."""
    which = "WHERE request_id = ? AND kind = ? ORDER BY seq DESC LIMIT 1"
    return _one(connection, which, request_id, kind)


def records(connection: sqlite3.Connection, *, after: int = 0) -> Iterator[Record]:
    """All records behind a place, in their order, as they are when this begins."""
    found = connection.execute(
        f"SELECT {COLUMNS} FROM records WHERE seq > ? ORDER BY seq",  # noqa: S608 - constants
        (after,),
    )
    return (Record(*row) for row in found)


def _one(connection: sqlite3.Connection, which: str, *values: object) -> Record | None:
    found = connection.execute(
        f"SELECT {COLUMNS} FROM records {which}",  # noqa: S608 - constants
        values,
    ).fetchone()
    return Record(*found) if found else None
