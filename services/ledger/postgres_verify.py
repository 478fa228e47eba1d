"""Proves of the copies in PostgreSQL what `verify` proves of a ledger's file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from gremium.v1.ledger_pb2 import RECORD_KIND_TOMBSTONE, Tombstone
from services.core.errors import LedgerError
from services.ledger.chain import START
from services.ledger.postgres import Database, database
from services.ledger.verify import Finding, From, Proofs, Tell, verified


def verify_copies(
    target: str,
    proofs: Proofs,
    *,
    timeout_s: float,
    tell: Tell = lambda _: None,
) -> list[Finding]:
    """Check the copy of every chain that is there, or that a checkpoint knows.

    While a gateway feeds it, what comes meanwhile is checked as well.

    Raises
    ------
    LedgerError
        If the database cannot be read, or has no ledger.
    """
    with _naming(), database(target, timeout_s=timeout_s) as there:
        there.check()
        chains = {*there.chains(), *(each.chain_id for each in proofs.checkpoints or ())}
        return [_checked(there, each, proofs, tell) for each in sorted(chains)]


def _checked(there: Database, chain_id: str, proofs: Proofs, tell: Tell) -> Finding:
    start = _start(there, chain_id)
    found = there.records(chain_id, after=start.after)
    own = replace(proofs, checkpoints=proofs.own(chain_id) or None)
    return verified(chain_id, found, own, start=start, tell=tell)


def _start(there: Database, chain_id: str) -> From:
    """Where a copy begins: with its chain, or behind what one of its tombstones stands for."""
    first = there.first(chain_id)
    for payload in there.payloads(chain_id, kind=RECORD_KIND_TOMBSTONE) if first > 1 else ():
        stone = Tombstone.FromString(payload)
        if stone.last_sequence == first - 1:
            return From(stone.last_sequence, stone.last_hash, removed=stone.last_sequence)
    return From(0, START, removed=0)


@contextmanager
def _naming() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as err:
        told = " ".join(str(err).split())
        raise LedgerError(f"cannot read the ledgers in PostgreSQL: {told}") from err
