"""Follows a chain of records and says where it breaks. No I/O.

A hash covers what a record holds and the hash before it, so whoever changes one record must change
all that follow; a signature or a checkpoint on any later one then tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.ledger.chain import START, Record, problem_of
from services.ledger.checkpoint import Checkpoint
from services.ledger.signing import Verifier, key_id_of


@dataclass(frozen=True, slots=True)
class Fault:
    """The first record that is not what it was."""

    sequence: int
    problem: str
    """What is wrong, as one sentence without its end."""


@dataclass(slots=True)
class Audit:
    """Takes the records of one chain in order, from its start or from where retention left off."""

    chain_id: str
    after: int = 0
    """Place of the last record before the first that is taken; 0 from the start."""
    head: bytes = START
    """Hash of that record; later, of the last one that was taken."""
    verifiers: Sequence[Verifier] = ()
    """Whose signatures are believed; empty: they are counted, not checked."""
    checkpoints: Mapping[int, Checkpoint] = field(default_factory=dict)
    """What the chain was known to be, by its number of records."""
    taken: int = 0
    signed: int = 0
    unsigned_since: int | None = None
    """First of the records at the end that no signature vouches for."""

    @property
    def last(self) -> int:
        """Place of the last record that was taken."""
        return self.after + self.taken

    def take(self, record: Record) -> Fault | None:
        """Check the next record; None if it is what was recorded."""
        expected = self.last + 1
        problem = (
            problem_of(record, self.chain_id, seq=expected, previous=self.head)
            or _lost(record)
            or self._forged(record)
            or self._forked(record)
        )
        if problem:
            return Fault(expected, problem)
        self.taken, self.head = self.taken + 1, record.hash
        if record.signature:
            self.signed, self.unsigned_since = self.signed + 1, None
        elif self.unsigned_since is None:
            self.unsigned_since = record.seq
        return None

    def end(self) -> Fault | None:
        """What is wrong once there are no more records."""
        later = [each for count, each in self.checkpoints.items() if count > self.last]
        if later:
            known = min(later, key=lambda each: each.count)
            seen = f"the checkpoint of {known.time} knows {known.count} records"
            return Fault(self.last + 1, f"record {self.last + 1} is missing: {seen}")
        if self.verifiers and self.unsigned_since is not None:
            after = self.last - self.unsigned_since
            vouched = (
                f"record {self.unsigned_since} is not signed, nor is any of the {after} after it"
            )
            return Fault(self.unsigned_since, vouched)
        return None

    def _forged(self, record: Record) -> str:
        """What is wrong with a signature, or without one.

        Records from before there was a key are vouched for by the first signed one. From then on
        each has its own: whoever signs vouches for what he appends, not for what another put there.
        """
        if not self.verifiers or not (record.signature or self.signed):
            return ""
        if not record.signature:
            return f"record {record.seq} is not signed, though one before it is"
        signer = key_id_of(record.signature)
        known = next((each for each in self.verifiers if each.key_id == signer), self.verifiers[0])
        problem = known.problem_of(record.signature, record.hash)
        return problem and f"record {record.seq} was changed: {problem}"

    def _forked(self, record: Record) -> str:
        """Whether a checkpoint knows another record at this place."""
        known = self.checkpoints.get(record.seq)
        if known is None or known.head == record.hash:
            return ""
        return f"record {record.seq} is not the one that the checkpoint of {known.time} knows"


def _lost(record: Record) -> str:
    return "" if record.payload is not None else f"the content of record {record.seq} is missing"
