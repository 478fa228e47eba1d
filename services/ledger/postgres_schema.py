"""The tables of the ledger in PostgreSQL, and how older ones become today's."""

from typing import Final

from psycopg import Connection

from services.core.errors import LedgerError

LOCK: Final = 0x4772656D
"""Advisory lock of whoever makes the tables: `Grem` in ASCII."""

MIGRATIONS: Final = (
    """
    CREATE TABLE gremium_records (
        chain_id       text     NOT NULL,
        seq            bigint   NOT NULL,
        kind           smallint NOT NULL,
        request_id     text     NOT NULL,
        time_ns        bigint   NOT NULL,
        payload        bytea,
        payload_sha256 bytea    NOT NULL,
        previous       bytea    NOT NULL,
        hash           bytea    NOT NULL,
        signature      bytea    NOT NULL,
        recorded       timestamptz NOT NULL
                       GENERATED ALWAYS AS (to_timestamp(time_ns / 1e9::double precision)) STORED,
        ensemble       text,
        caller         text,
        state          text,
        outcome        text,
        error          text,
        cost_usd       double precision,
        PRIMARY KEY (chain_id, seq)
    );
    COMMENT ON TABLE gremium_records IS
        'What the ledgers of gateways recorded: a copy, one chain for each ledger. Never rewritten.';
    COMMENT ON COLUMN gremium_records.payload IS
        'The record itself, as protobuf; null where retention had removed it before it was fed.';
    COMMENT ON COLUMN gremium_records.ensemble IS
        'Of ends of requests, as are the columns after it: read from the payload, to search by.';
    CREATE INDEX gremium_records_by_request ON gremium_records (request_id);
    CREATE INDEX gremium_records_by_time ON gremium_records (recorded);
    CREATE INDEX gremium_records_by_ensemble ON gremium_records (ensemble, recorded);
    """,
)
"""Script number n takes the tables from version n to n + 1. Never edit one that was released."""


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest version, in one transaction that one gateway at a time makes.

    Raises
    ------
    LedgerError
        If they are of a newer release, or the database cannot hold every text.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        version = _version(connection)
        if version is None:
            version = _begin(connection)
        _refuse_newer(version)
        for script in MIGRATIONS[version:]:
            connection.execute(script)
        if version < len(MIGRATIONS):
            connection.execute("UPDATE gremium_ledger SET version = %s", (len(MIGRATIONS),))


def check(connection: Connection) -> None:
    """Refuse a database whose tables cannot be read as they are.

    Raises
    ------
    LedgerError
        If there are none, or they are of another release.
    """
    version = _version(connection)
    if version is None:
        raise LedgerError("the PostgreSQL database has no ledger: no gateway has fed it yet")
    _refuse_newer(version)
    if version < len(MIGRATIONS):
        raise LedgerError(
            f"the tables in PostgreSQL have version {version}; a gateway of this release makes them"
            f" {len(MIGRATIONS)} when it feeds them"
        )


def _version(connection: Connection) -> int | None:
    """Version of the tables; None where there are none."""
    found = connection.execute("SELECT to_regclass('gremium_ledger')").fetchone()
    if found is None or found[0] is None:
        return None
    row = connection.execute("SELECT version FROM gremium_ledger").fetchone()
    if row is None:
        raise LedgerError("the table gremium_ledger in PostgreSQL is empty; it told the version")
    return int(row[0])


def _begin(connection: Connection) -> int:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise LedgerError(f"the PostgreSQL database keeps text as {encoding}; UTF8 is needed")
    connection.execute("CREATE TABLE gremium_ledger (version integer NOT NULL)")
    connection.execute("INSERT INTO gremium_ledger VALUES (0)")
    return 0


def _refuse_newer(version: int) -> None:
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"the tables in PostgreSQL have version {version}; this release knows up to"
            f" {len(MIGRATIONS)}"
        )
