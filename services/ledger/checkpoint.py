"""Checkpoints: how many records a ledger had and the hash of the last, in a file kept elsewhere.

The file has one JSON object a line and is only ever appended to. Whoever cannot write to it cannot
remove records from the end of a ledger, or make it anew, without being found out.
"""

import errno
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from services.core.errors import LedgerError
from services.ledger.signing import Signer, Verifier

TAG: Final = "gremium.v1.checkpoint"
"""Keeps hashes of checkpoints apart from all others."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a ledger was at one time."""

    chain_id: str
    count: int
    """Records so far, those included that retention removed: the sequence of the last."""
    head: bytes
    """Hash of the last record."""
    time: str
    """When it was taken, ISO 8601 in UTC."""
    signature: bytes = b""
    """Of the hash of the fields before it, as `Signer` gives it; empty: unsigned."""

    def signed(self, signer: Signer) -> "Checkpoint":
        return replace(self, signature=signer.sign(self.hashed()))

    def hashed(self) -> bytes:
        """SHA-256 of what it says, each part after its length."""
        told = (TAG, self.chain_id, str(self.count), self.head.hex(), self.time)
        parts = [part.encode() for part in told]
        encoded = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hashlib.sha256(encoded).digest()

    def problem(self, verifiers: Sequence[Verifier]) -> str:
        """What is wrong with its signature; empty: nothing, or it has none, or nobody checks."""
        if not self.signature or not verifiers:
            return ""
        problems = [each.problem_of(self.signature, self.hashed()) for each in verifiers]
        return "" if "" in problems else problems[0]

    def to_line(self) -> str:
        """Its line in the file, without the line break."""
        return json.dumps(
            {
                "chain_id": self.chain_id,
                "count": self.count,
                "head": self.head.hex(),
                "time": self.time,
                "signature": self.signature.hex(),
            }
        )


def checkpoint_of(line: Mapping[str, Any]) -> Checkpoint:
    """Read a line of the file.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is no checkpoint.
    """
    return Checkpoint(
        chain_id=str(line["chain_id"]),
        count=int(line["count"]),
        head=bytes.fromhex(line["head"]),
        time=str(line["time"]),
        signature=bytes.fromhex(line.get("signature", "")),
    )


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """All of a file, oldest first.

    Raises
    ------
    LedgerError
        If it cannot be read, or a line is no checkpoint.
    """
    found: list[Checkpoint] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise LedgerError(f"cannot read checkpoints {path}: {err}") from err
    for number, line in enumerate(lines, start=1):
        try:
            found.append(checkpoint_of(json.loads(line)))
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise LedgerError(f"{path}:{number} is no checkpoint: {err}") from err
    return found


def append_checkpoint(path: Path, taken: Checkpoint) -> None:
    """Add one to a file, on disk before this returns; all of it or nothing.

    Raises
    ------
    LedgerError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _append(file, f"{taken.to_line()}\n".encode())
        finally:
            os.close(file)
    except OSError as err:
        raise LedgerError(f"cannot write checkpoint to {path}: {err}") from err


def _append(file: int, line: bytes) -> None:
    before, written = os.fstat(file).st_size, 0
    try:
        written = os.write(file, line)
        os.fsync(file)
    finally:
        if written < len(line):
            os.ftruncate(file, before)  # half a line would make the whole file unreadable
    if written < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
