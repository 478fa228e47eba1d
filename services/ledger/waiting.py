"""Waits for what the ledger does, within a limit, and says what went wrong."""

import asyncio
import sqlite3
from collections.abc import Awaitable
from typing import Final, TypeVar

from services.core.errors import LedgerError
from services.ledger.writer import DelayedError

Value = TypeVar("Value")

WAIT_S: Final = 15.0
"""Longest wait for one record to be committed or read."""


async def settled(job: Awaitable[Value]) -> Value:
    """What a job gives.

    Raises
    ------
    LedgerError
        If it fails, or takes too long.
    """
    try:
        async with asyncio.timeout(WAIT_S):
            return await job
    except TimeoutError as err:
        raise LedgerError(f"the ledger did not answer within {WAIT_S:g} s") from err
    except DelayedError as err:
        raise LedgerError(
            f"the end of the request is not on disk: {err}; it is kept until the disk takes it,"
            " and can then be asked for again under the same request_id"
        ) from err
    except sqlite3.Error as err:
        raise LedgerError(f"the ledger failed: {err}") from err
