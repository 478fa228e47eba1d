"""A PostgreSQL database that holds copies of ledgers: what is asked of it, each wait limited."""

import math
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from services.core.errors import LedgerError
from services.ledger.chain import COLUMNS, Record
from services.ledger.postgres_rows import columns
from services.ledger.postgres_schema import check, migrate

SHORTEST_CONNECT_S: Final = 2
"""The shortest limit on a connection that libpq keeps to."""
MARGIN_S: Final = 1.0
"""How much longer we wait than the database may take: it tells what took long."""
LIMITS: Final = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
PAGE: Final = 500
"""Records that are read at once."""

HEAD: Final = "SELECT seq, hash FROM gremium_records WHERE chain_id = %s ORDER BY seq DESC LIMIT 1"
ADD: Final = """
    INSERT INTO gremium_records
        (chain_id, seq, kind, request_id, time_ns, payload, payload_sha256, previous, hash,
         signature, ensemble, caller, state, outcome, error, cost_usd)
    SELECT %(chain_id)s, new.* FROM unnest(
        %(seq)s::bigint[], %(kind)s::smallint[], %(request_id)s::text[], %(time_ns)s::bigint[],
        %(payload)b::bytea[], %(payload_sha256)b::bytea[], %(previous)b::bytea[],
        %(hash)b::bytea[], %(signature)b::bytea[],
        %(ensemble)s::text[], %(caller)s::text[], %(state)s::text[], %(outcome)s::text[],
        %(error)s::text[], %(cost_usd)s::double precision[]) AS new
    WHERE %(after)s = COALESCE(
        (SELECT max(seq) FROM gremium_records WHERE chain_id = %(chain_id)s), 0)
    ON CONFLICT DO NOTHING
"""
"""All of a batch or nothing, and only behind the highest record that is there."""
CHAINS: Final = """
    WITH RECURSIVE chains AS (
        SELECT min(chain_id) AS chain_id FROM gremium_records
        UNION ALL
        SELECT (SELECT min(chain_id) FROM gremium_records WHERE chain_id > chains.chain_id)
        FROM chains WHERE chains.chain_id IS NOT NULL)
    SELECT chain_id FROM chains WHERE chain_id IS NOT NULL
"""
"""One look at the index for each chain, however many records it has."""
RECORDS: Final = (
    f"SELECT {COLUMNS} FROM gremium_records WHERE chain_id = %s AND seq > %s"  # noqa: S608 - constants
    " ORDER BY seq LIMIT %s"
)
FIRST: Final = "SELECT seq FROM gremium_records WHERE chain_id = %s ORDER BY seq LIMIT 1"
PAYLOADS: Final = (
    "SELECT payload FROM gremium_records WHERE chain_id = %s AND kind = %s"
    " AND payload IS NOT NULL ORDER BY seq"
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain."""

    seq: int
    """0 where there is none."""
    hash: bytes


NOTHING: Final = Head(0, b"")


class Database:
    """One connection. For one thread, but for `cut`."""

    def __init__(self, connection: Connection, *, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        # Of our own, so that a late `cut` never meets a number that another file has by now.
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))

    def limit(self) -> None:
        """Have the database keep to the limit, too, and have commits reach its disk."""
        limit = f"{round(1000 * self._timeout_s)}ms"
        with self._limited():
            for setting in LIMITS:
                self._connection.execute("SELECT set_config(%s, %s, false)", (setting, limit))
            self._connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )

    def migrate(self) -> None:
        """Make the tables those of this release.

        Raises
        ------
        LedgerError
            If they are of a newer release, or the database cannot hold every text.
        """
        with self._limited():
            migrate(self._connection)

    def check(self) -> None:
        """Refuse tables that are missing, or of another release.

        Raises
        ------
        LedgerError
            If they are.
        """
        with self._limited():
            check(self._connection)

    def head(self, chain_id: str) -> Head:
        """The highest record of a chain that is there."""
        with self._limited():
            found = self._connection.execute(HEAD, (chain_id,)).fetchone()
        return NOTHING if found is None else Head(*found)

    def add(self, chain_id: str, records: Sequence[Record], *, after: int) -> int:
        """Add records behind `after`, all or, where that is not the highest, none; counts them."""
        values = {"chain_id": chain_id, "after": after, **columns(records)}
        with self._limited():
            return self._connection.execute(ADD, values).rowcount

    def chains(self) -> list[str]:
        """Ids of all chains that are there."""
        with self._limited():
            return [chain_id for (chain_id,) in self._connection.execute(CHAINS).fetchall()]

    def records(self, chain_id: str, *, after: int = 0) -> Iterator[Record]:
        """Records of a chain in their order, behind `after`."""
        while page := self._page(chain_id, after):
            yield from page
            after = page[-1].seq

    def first(self, chain_id: str) -> int:
        """Place of the first record of a chain that is there; 0 where there is none."""
        with self._limited():
            found = self._connection.execute(FIRST, (chain_id,)).fetchone()
        return int(found[0]) if found else 0

    def payloads(self, chain_id: str, *, kind: int) -> list[bytes]:
        """What the records of one kind hold, of a chain and in its order."""
        with self._limited():
            return [row[0] for row in self._connection.execute(PAYLOADS, (chain_id, kind))]

    def _page(self, chain_id: str, after: int) -> list[Record]:
        with self._limited():
            rows = self._connection.execute(RECORDS, (chain_id, after, PAGE), binary=True)
            return [Record(*row) for row in rows]

    def cut(self) -> None:
        """End whatever waits for the database, at once, from any thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()
        self._socket.close()

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Cut the connection if the block takes too long: libpq waits for an answer for ever."""
        timer = threading.Timer(self._timeout_s + MARGIN_S, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextmanager
def database(target: str, *, timeout_s: float) -> Iterator[Database]:
    """Connect to the database of a connection string.

    Raises
    ------
    psycopg.Error
        If it cannot be reached, refuses, or fails.
    """
    connection = psycopg.connect(
        target,
        autocommit=True,
        connect_timeout=max(SHORTEST_CONNECT_S, math.ceil(timeout_s)),
        prepare_threshold=None,  # a pooler between us may give each statement another session
    )
    opened = Database(connection, timeout_s=timeout_s)
    try:
        opened.limit()
        yield opened
    finally:
        opened.close()


def target_of(url: str, *, variable: str) -> str:
    """The connection string of a URL; its errors repeat no secret.

    Raises
    ------
    LedgerError
        If the variable is unset, or holds none.
    """
    if not url:
        raise LedgerError(f"environment variable {variable} is not set; ledger.postgres needs it")
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        raise LedgerError(f"environment variable {variable} holds no PostgreSQL URL") from None
    given.setdefault("application_name", "gremium")
    return make_conninfo("", **given)
