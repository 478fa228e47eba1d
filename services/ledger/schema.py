"""The tables of the ledger, and how an older file becomes today's."""

import sqlite3
from collections.abc import Callable
from typing import Final

APPLICATION_ID: Final = 0x4772656D
"""Marks a SQLite file as a ledger: `Grem` in ASCII."""

MIGRATIONS: Final = (
    """
    CREATE TABLE manifests (
        request_id     TEXT PRIMARY KEY,
        fingerprint    TEXT NOT NULL,
        ensemble       TEXT NOT NULL,
        state          INTEGER NOT NULL,
        outcome        INTEGER NOT NULL,
        start_ns       INTEGER NOT NULL,
        cost_micro_usd INTEGER NOT NULL,
        manifest       BLOB NOT NULL,
        answers        BLOB NOT NULL,
        reply          BLOB
    ) STRICT;
    CREATE INDEX manifests_by_start ON manifests (start_ns, request_id);
    CREATE INDEX manifests_by_ensemble ON manifests (ensemble, start_ns, request_id);
    CREATE INDEX manifests_by_state ON manifests (state, start_ns, request_id);
    CREATE INDEX manifests_by_outcome ON manifests (outcome, start_ns, request_id);
    CREATE TABLE feedback (
        id         INTEGER PRIMARY KEY,
        request_id TEXT NOT NULL REFERENCES manifests (request_id),
        feedback   BLOB NOT NULL
    ) STRICT;
    CREATE INDEX feedback_by_request ON feedback (request_id, id);
    """,
    """
    ALTER TABLE manifests ADD COLUMN caller TEXT NOT NULL DEFAULT '';
    ALTER TABLE manifests ADD COLUMN charged_usd REAL NOT NULL DEFAULT 0.0;
    UPDATE manifests SET charged_usd = cost_micro_usd / 1e6;
    """,
    """
    CREATE TABLE chain (
        chain_id TEXT NOT NULL
    ) STRICT;
    INSERT INTO chain VALUES (lower(hex(randomblob(16))));
    CREATE TABLE records (
        seq            INTEGER PRIMARY KEY,
        kind           INTEGER NOT NULL,
        request_id     TEXT NOT NULL,
        time_ns        INTEGER NOT NULL,
        payload        BLOB,
        payload_sha256 BLOB NOT NULL,
        previous       BLOB NOT NULL,
        hash           BLOB NOT NULL,
        signature      BLOB NOT NULL
    ) STRICT;
    CREATE INDEX records_by_request ON records (request_id, kind, seq);
    CREATE TABLE replies (
        request_id TEXT PRIMARY KEY,
        reply      BLOB NOT NULL,
        expires_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX replies_by_end ON replies (expires_ns);
    ALTER TABLE manifests ADD COLUMN seq INTEGER;
    """,
    """
    DROP TABLE feedback;
    ALTER TABLE manifests DROP COLUMN answers;
    ALTER TABLE manifests DROP COLUMN reply;
    """,
    """
    CREATE TABLE mirror (
        id       INTEGER PRIMARY KEY CHECK (id = 1),
        seq      INTEGER NOT NULL,
        time_ns  INTEGER NOT NULL,
        error    TEXT NOT NULL,
        since_ns INTEGER NOT NULL
    ) STRICT;
    """,
)
"""Script number n takes a file from version n to n + 1. Never edit one that was released."""
FOREIGN: Final = "SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view') LIMIT 1"
"""What no ledger has: it would change unseen what is written, or read."""
ADOPTED_AT: Final = 3
"""Version at which what an older file has recorded becomes records of its chain."""


def migrate(
    connection: sqlite3.Connection, *, adopt: Callable[[sqlite3.Connection], None] | None = None
) -> None:
    """Bring a file to the newest version, one transaction per step.

    `adopt` makes records of what a file without a chain has recorded; a new
    file needs none.

    Raises
    ------
    ValueError
        If it is no ledger, of a newer release, holds what changes records, or has to be
        adopted by nobody.
    """
    version = _version(connection)
    if foreign := _foreign(connection):
        raise ValueError(foreign)
    if version == 0 and _has_tables(connection):
        raise ValueError("it holds tables that are no ledger's")
    if version > len(MIGRATIONS):
        raise ValueError(f"it has version {version}; this release knows up to {len(MIGRATIONS)}")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in script.split(";"):
            connection.execute(statement)
        if number == ADOPTED_AT and version:
            _adopted(connection, adopt)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")


def _adopted(
    connection: sqlite3.Connection, adopt: Callable[[sqlite3.Connection], None] | None
) -> None:
    if adopt is None:
        raise ValueError("it is of a version without a chain")
    adopt(connection)


def problem_of(connection: sqlite3.Connection) -> str:
    """Why a file cannot be read as it is; empty: it can."""
    version = _version(connection)
    if version == len(MIGRATIONS):
        return _foreign(connection)
    if version == 0:
        return "it is no ledger"
    if version > len(MIGRATIONS):
        return f"it has version {version}; this release knows up to {len(MIGRATIONS)}"
    return f"it has version {version}; a gateway of this release makes it one of version {len(MIGRATIONS)} when it starts"


def _version(connection: sqlite3.Connection) -> int:
    """Version of the file; 0 when it is empty or another program's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version) if application == APPLICATION_ID else 0


def _foreign(connection: sqlite3.Connection) -> str:
    found = connection.execute(FOREIGN).fetchone()
    return f"it holds the {found[0]} {found[1]!r}, which no ledger has" if found else ""


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
