"""How far the copy in PostgreSQL is, as the ledger's own file tells it."""

import sqlite3
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of the copy."""

    seq: int = 0
    """Highest record that PostgreSQL had; records above it are on this disk alone."""
    time_ns: int = 0
    """When it got it, nanoseconds since 1970; 0: never."""
    error: str = ""
    """Why it cannot be fed; empty while it can."""
    since_ns: int = 0
    """Since when it cannot."""


def put(connection: sqlite3.Connection, *, mark: Mark) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO mirror (id, seq, time_ns, error, since_ns) VALUES (1, ?, ?, ?, ?)",
        astuple(mark),
    )


def mark(connection: sqlite3.Connection) -> Mark:
    """What was noted last; of a ledger that was never fed, that nothing is there."""
    found = connection.execute("SELECT seq, time_ns, error, since_ns FROM mirror").fetchone()
    return Mark(*found) if found else Mark()
