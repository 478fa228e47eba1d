"""Disks that take no more."""

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
