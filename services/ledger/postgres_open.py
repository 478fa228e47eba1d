"""Opens the copy in PostgreSQL where the configuration wants one."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from services.config.postgres import Postgres
from services.core.errors import LedgerError
from services.ledger.ledger import Ledger
from services.ledger.postgres_figures import watched
from services.ledger.postgres_mark import Mark, mark
from services.ledger.postgres_progress import Progress
from services.ledger.reading import reading

logger = logging.getLogger(__name__)

FLUSH_S: Final = 2.0
"""Longest wait for what is queued to reach the disk, so that the copy gets it before the end."""


@asynccontextmanager
async def mirrored(
    ledger: Ledger, wanted: Postgres | None, env: Mapping[str, str] = os.environ
) -> AsyncIterator[None]:
    """Copy a ledger's records to PostgreSQL while the block lasts, if that is wanted.

    A database that cannot be reached is waited for, and hinders nothing.

    Raises
    ------
    LedgerError
        If the variable with its URL is unset or holds none, or the package is missing.
    """
    if wanted is None or not ledger.records:
        yield
        return
    target = postgres_target(wanted, env)
    from services.ledger.postgres_mirror import Mirror  # noqa: PLC0415 - an extra

    progress = Progress(await asyncio.to_thread(_noted, ledger.path), ledger.note_mirror)
    watched(ledger.path, progress)
    mirror = Mirror(ledger.path, target, timeout_s=wanted.timeout_s, progress=progress)
    try:
        yield
    finally:
        await ledger.flush(within_s=FLUSH_S)
        if not await asyncio.to_thread(mirror.close):
            logger.error("the thread that feeds PostgreSQL did not stop")


def postgres_target(wanted: Postgres, env: Mapping[str, str]) -> str:
    """Connection string of the configured database.

    Raises
    ------
    LedgerError
        If the variable with its URL is unset or holds none, or the package is missing.
    """
    try:
        from services.ledger.postgres import target_of  # noqa: PLC0415 - an extra
    except ImportError as err:
        raise LedgerError(
            f"ledger.postgres needs the package psycopg: pip install 'gremium[postgres]' ({err})"
        ) from err
    return target_of(env.get(wanted.url_env, "").strip(), variable=wanted.url_env)


def _noted(path: Path) -> Mark:
    """How far the copy was when that was noted last."""
    with reading(path) as connection:
        return mark(connection)
