"""A ledger has one owner: whoever holds the lock file beside it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.core.errors import LedgerError


@contextmanager
def owning(path: Path) -> Iterator[None]:
    """Hold the lock of a ledger. The kernel releases it if this process dies.

    Intents left open belong to a dead process, and may be closed as
    interrupted, only because nobody else can have the ledger open.

    Raises
    ------
    LedgerError
        If another process has it open.
    OSError
        If the lock file cannot be written.
    """
    real = path.resolve()  # one file has one lock, by whatever name it is opened
    with real.with_name(f"{real.name}.lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            lock.seek(0)
            raise LedgerError(f"ledger {path} is in use by process {lock.read().strip()}") from err
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
