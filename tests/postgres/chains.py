"""Ledgers to copy, written as a gateway writes them, and what a copy must be."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from gremium.v1.ledger_pb2 import RECORD_KIND_END
from gremium.v1.manifest_pb2 import MANIFEST_STATE_COMPLETED, OUTCOME_ANSWERED, Manifest
from services.ledger import chain
from services.ledger.chain import Record
from services.ledger.postgres_mark import Mark, put
from services.ledger.postgres_mirror import Mirror
from services.ledger.postgres_progress import Progress
from services.ledger.retention import Keep, bury, clear
from services.ledger.schema import migrate
from tests.postgres.server import Server

LIMIT_S = 15.0
ROWS = f"SELECT {chain.COLUMNS} FROM gremium_records WHERE chain_id = %s ORDER BY seq"  # noqa: S608 - constants


class Book:
    """A ledger's file, written by a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        migrate(self._connection)
        self._connection.execute("PRAGMA journal_mode = WAL")

    @property
    def chain_id(self) -> str:
        return chain.chain_id_of(self._connection)

    @property
    def records(self) -> list[Record]:
        return list(chain.records(self._connection))

    def write(self, count: int = 1, **fields: object) -> None:
        """Record ends of requests, in one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        for nth in range(count):
            chain.append(
                self._connection,
                RECORD_KIND_END,
                request_id=f"r{nth}",
                payload=end(**fields).SerializeToString(),
                time_ns=time.time_ns(),
                signer=None,
            )
        self._connection.execute("COMMIT")

    def prune(self, *, copied: int) -> int:
        """Remove all that a copy has which goes up to `copied`; returns how many."""
        put(self._connection, mark=Mark(copied))
        keep = Keep(since_ns=time.time_ns(), now_ns=time.time_ns(), uncopied=True)
        removed = bury(self._connection, keep=keep, signer=None)
        clear(self._connection)
        return removed

    def execute(self, query: str, *values: object) -> None:
        self._connection.execute(query, values)

    def close(self) -> None:
        self._connection.close()


def end(**fields: object) -> Manifest:
    told = {"ensemble": "trio", "caller": "ann", "cost_usd": 0.25, **fields}
    return Manifest(
        request_id="r", state=MANIFEST_STATE_COMPLETED, outcome=OUTCOME_ANSWERED, **told
    )


@dataclass(frozen=True)
class Place:
    """A schema of a server, which may be down."""

    server: Server
    schema: str

    def url(self, **other: str) -> str:
        return self.server.url(schema=self.schema, **other)

    def execute(self, query: str) -> None:
        with self.server.connect(schema=self.schema) as connection:
            connection.execute(query)

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a query finds; nothing while the server is down or has no tables."""
        try:
            with self.server.connect(schema=self.schema) as connection:
                return connection.execute(query, values, binary=True).fetchall()
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return []

    def copy(self, book: Book) -> list[Record]:
        """What is there of a ledger."""
        return [Record(*row) for row in self.rows(ROWS, book.chain_id)]


class Copying:
    """A mirror at work, and what it notes."""

    def __init__(self, path: Path, target: str, *, timeout_s: float) -> None:
        self.marks: list[Mark] = []
        progress = Progress(Mark(), self.marks.append)
        self._mirror = Mirror(path, target, timeout_s=timeout_s, progress=progress)

    @property
    def last(self) -> Mark:
        return self.marks[-1] if self.marks else Mark()

    def close(self) -> bool:
        return self._mirror.close()


def until(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Wait for what must come true."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true"
        time.sleep(0.02)
