"""Proves that nothing in a ledger was changed or removed, as far as its keys and checkpoints reach."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from services.ledger.audit import Audit, Fault
from services.ledger.chain import START, Record, chain_id_of, record_at, records
from services.ledger.checkpoint import Checkpoint
from services.ledger.listing import misfit
from services.ledger.reading import reading
from services.ledger.retention import latest_tombstone
from services.ledger.retold import altered
from services.ledger.signing import Verifier

Tell = Callable[[int], object]
"""Is told how many records were checked so far."""
TELL_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a chain is held against."""

    verifiers: Sequence[Verifier] = ()
    """Whose signatures are believed; empty: signatures are counted, not checked."""
    checkpoints: Sequence[Checkpoint] | None = None
    """Of this chain and others; None: there are none to hold it against."""

    def own(self, chain_id: str) -> list[Checkpoint]:
        """The checkpoints of one chain."""
        return [each for each in self.checkpoints or () if each.chain_id == chain_id]


@dataclass(frozen=True, slots=True)
class From:
    """Where a verification begins."""

    after: int = 0
    """Place of the last record that is not looked at."""
    previous: bytes = START
    """Its hash."""
    removed: int = 0
    """Records that retention removed, as the tombstone says."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a verification came to."""

    chain_id: str
    count: int
    """Records up to the last that is right, with those that retention removed."""
    removed: int
    """Records that retention removed."""
    checked: int
    """Records that were looked at and are right."""
    signed: int
    """How many of them carry a signature: by a given key, if any was given."""
    head: bytes
    """Hash of the last record that is right."""
    checkpoints: int
    """Checkpoints of this chain that it was held against."""
    outlived: int
    """Checkpoints that know only records which retention removed."""
    fault: Fault | None
    """The first record that is wrong; None: all is as it was recorded."""


def verify(
    path: Path, proofs: Proofs, *, resume: bool = False, tell: Tell = lambda _: None
) -> Finding:
    """Check a ledger from its start, or from its last tombstone on, up to its head.

    The list of requests that is searched, and the replies that are kept, must show what the
    records say. With `resume` only records are checked that follow the last checkpoint which the ledger agrees with.
    Reads while a gateway writes; what is recorded meanwhile is left for the next time.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger.
    """
    with reading(path) as connection:
        connection.execute("BEGIN")  # one view of it all
        chain_id, start = chain_id_of(connection), _start(connection)
        if resume:
            start = _resumed(connection, start, proofs.own(chain_id))
        chain = records(connection, after=start.after)
        found = verified(chain_id, chain, proofs, start=start, tell=tell)
        if found.fault is None and not resume:
            fault = misfit(connection, after=start.after) or altered(connection)
            found = replace(found, fault=fault)
        return found


def verified(
    chain_id: str,
    found: Iterable[Record],
    proofs: Proofs,
    *,
    start: From,
    tell: Tell = lambda _: None,
) -> Finding:
    """Check records in their order."""
    own = proofs.own(chain_id)
    audit = Audit(
        chain_id,
        start.after,
        start.previous,
        verifiers=proofs.verifiers,
        checkpoints={each.count: each for each in own if each.count > start.after},
    )
    fault = _doubt(own, proofs, start) or _first_fault(audit, found, tell)
    return Finding(
        chain_id=chain_id,
        count=audit.last,
        removed=start.removed,
        checked=audit.taken,
        signed=audit.signed,
        head=audit.head,
        checkpoints=len(own),
        outlived=sum(each.count < start.removed for each in own),
        fault=fault,
    )


def _start(connection: sqlite3.Connection) -> From:
    stone = latest_tombstone(connection)
    return From(stone.last_sequence, stone.last_hash, removed=stone.last_sequence)


def _resumed(connection: sqlite3.Connection, start: From, own: Iterable[Checkpoint]) -> From:
    """From the last checkpoint on, if the ledger has the record that it knows."""
    known = max(own, key=lambda each: each.count, default=None)
    if known is None or known.count <= start.after:
        return start
    record = record_at(connection, known.count)
    if record is None or record.hash != known.head:
        return start
    return From(known.count, known.head, removed=start.removed)


def _first_fault(audit: Audit, found: Iterable[Record], tell: Tell) -> Fault | None:
    for record in found:
        if fault := audit.take(record):
            return fault
        if audit.taken % TELL_EVERY == 0:
            tell(audit.taken)
    return audit.end()


def _doubt(own: Sequence[Checkpoint], proofs: Proofs, start: From) -> Fault | None:
    """Why the checkpoints themselves do not fit, before any record is looked at."""
    if proofs.checkpoints and not own:
        others = "the checkpoints know other chains only: this is not the ledger they were taken of"
        return Fault(start.after + 1, others)
    heads = {each.count: each for each in reversed(own)}
    for each in own:
        if each.head != heads[each.count].head:
            told = (
                f"the checkpoints of {heads[each.count].time} and {each.time} contradict each other"
            )
            return Fault(each.count, told)
        if problem := each.problem(proofs.verifiers):
            told = f"the checkpoint of {each.time} is not to be believed: {problem}"
            return Fault(each.count, told)
        if each.count == start.after and each.head != start.previous:
            told = f"record {each.count} is not the one that the checkpoint of {each.time} knows"
            return Fault(each.count, told)
    if own and max(each.count for each in own) < start.removed and not proofs.verifiers:
        removed = f"retention removed records up to {start.removed}, and no checkpoint is later"
        return Fault(start.removed, f"{removed}: only a key can prove its tombstone")
    return None
