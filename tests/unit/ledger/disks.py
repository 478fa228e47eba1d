"""Disks that take no more."""

import resource
from contextlib import contextmanager


@contextmanager
def full(ledger):
    """In the block the ledger's file cannot grow."""
    limit, connection = "PRAGMA max_page_count", ledger._writer._connection
    (most,) = connection.execute(limit).fetchone()
    connection.execute(f"{limit} = 1").fetchone()
    try:
        yield
    finally:
        connection.execute(f"{limit} = {most}").fetchone()


@contextmanager
def smaller_than(n_bytes):
    """In the block no file can be written beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
