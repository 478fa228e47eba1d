"""Feeds one ledger to one database: records in their order, behind the highest that is there."""

import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Final

from services.core.errors import LedgerError
from services.ledger import chain
from services.ledger.chain import Record
from services.ledger.postgres import NOTHING, Database, Head

BATCH: Final = 256
"""Most records that are fed at once."""
BATCH_BYTES: Final = 1024 * 1024
"""A batch is ended by the record that reaches this."""
LOOK_S: Final = 5.0
"""How often the database is asked what it has while it is given nothing wrong."""


class Feed:
    """Knows the highest record of a chain in a database, and what follows it here."""

    def __init__(
        self,
        here: sqlite3.Connection,
        there: Database,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._here, self._there, self._clock = here, there, clock
        self._chain_id = chain.chain_id_of(here)
        self.head, self._next_look = NOTHING, -math.inf
        there.migrate()

    def step(self) -> int:
        """Feed the next batch; returns how many records were added, 0 when there is none.

        Raises
        ------
        LedgerError
            If the chain that is there is not the one that is here.
        psycopg.Error
            If the database fails.
        """
        if self._clock() >= self._next_look:
            self._look()
        last = last_of(self._here)  # first: records that are added meanwhile are then behind it
        records = following(self._here, after=self.head.seq)
        check_follows(self.head, records, last=last)
        if not records:
            return 0
        added = self._there.add(self._chain_id, records, after=self.head.seq)
        if added == len(records):
            self.head = Head(records[-1].seq, records[-1].hash)
        else:  # whoever emptied the table, or an end of ours that we did not hear of
            self._look()
        return added

    def _look(self) -> None:
        self.head = self._there.head(self._chain_id)
        self._next_look = self._clock() + LOOK_S


def check_follows(head: Head, records: Sequence[Record], *, last: Head) -> None:
    """Refuse to feed a chain behind another one of the same name.

    Raises
    ------
    LedgerError
        If `head` of the copy is no record of the chain that `records` goes on and `last` ends.
    """
    if head == NOTHING:
        return
    if records:
        goes_on = records[0].seq > head.seq + 1 or records[0].previous == head.hash
    else:
        goes_on = head == last
    if not goes_on:
        raise LedgerError(
            f"PostgreSQL has record {head.seq} of this chain with hash {head.hash.hex()[:16]}, and"
            f" this ledger, which ends at {last.seq}, another one: it is an older copy of a ledger,"
            " or two gateways have copies of one"
        )


def last_of(here: sqlite3.Connection) -> Head:
    found = chain.head(here)
    return Head(found.seq, found.hash) if found else NOTHING


def following(here: sqlite3.Connection, *, after: int) -> list[Record]:
    """The next batch; of one record if that one is large."""
    batch: list[Record] = []
    n_bytes = 0
    for record in chain.records(here, after=after):
        batch.append(record)
        n_bytes += len(record.payload or b"")
        if len(batch) == BATCH or n_bytes >= BATCH_BYTES:
            break
    return batch
