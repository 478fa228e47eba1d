"""The tables of the ledger, and how an older file becomes today's."""

import sqlite3
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
)
"""Script number n takes a file from version n to n + 1. Never edit one that was released."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest version, one transaction per step.

    Raises
    ------
    ValueError
        If it is no ledger, or of a newer release.
    """
    version = _version(connection)
    if version == 0 and _has_tables(connection):
        raise ValueError("it holds tables that are no ledger's")
    if version > len(MIGRATIONS):
        raise ValueError(f"it has version {version}; this release knows up to {len(MIGRATIONS)}")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {number}; COMMIT;"
        )


def _version(connection: sqlite3.Connection) -> int:
    """Version of the file; 0 when it is empty or another program's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version) if application == APPLICATION_ID else 0


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
