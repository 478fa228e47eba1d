"""Replies that can be told again: beside the records, and only for so long."""

import sqlite3


def keep(
    connection: sqlite3.Connection, request_id: str, reply: bytes | None, *, expires_ns: int
) -> None:
    """Keep a serialised reply, or none, in place of an earlier one of the same request."""
    if reply is None:
        connection.execute("DELETE FROM replies WHERE request_id = ?", (request_id,))
    else:
        connection.execute(
            "INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", (request_id, reply, expires_ns)
        )


def kept(connection: sqlite3.Connection, request_id: str, *, now_ns: int) -> bytes | None:
    """The reply of a request; None if there is none any more."""
    found = connection.execute(
        "SELECT reply FROM replies WHERE request_id = ? AND expires_ns > ?", (request_id, now_ns)
    ).fetchone()
    return found[0] if found else None


def forget(connection: sqlite3.Connection, *, now_ns: int) -> int:
    """Remove all that expired, and count them."""
    return connection.execute("DELETE FROM replies WHERE expires_ns <= ?", (now_ns,)).rowcount
