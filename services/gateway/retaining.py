"""Removes from the ledger, once a day, what is older than it must be kept."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from services.config.tree import Config
from services.core.errors import LedgerError
from services.gateway.periods import period_start
from services.ledger.ledger import Ledger
from services.ledger.retention import Keep

logger = logging.getLogger(__name__)

EVERY_S: Final = 24 * 3600.0


@asynccontextmanager
async def retaining(ledger: Ledger, config: Config) -> AsyncIterator[None]:
    """Prune now and every day until the block ends, if the configuration says how old records get."""
    if config.ledger.keep_for_days is None:
        yield
        return
    pruning = asyncio.create_task(_prune_daily(ledger, config, config.ledger.keep_for_days))
    try:
        yield
    finally:
        pruning.cancel()
        await asyncio.wait([pruning])


def kept(config: Config, older_than: timedelta, *, now: datetime) -> Keep:
    """What stays though it is as old: what counts in a budget's present period, or today."""
    starts = [period_start(budget.per, now) for budget in config.budgets.values()]
    since = min([now - older_than, period_start("day", now), *starts])
    return Keep(since_ns=_ns(since), now_ns=_ns(now), uncopied=config.ledger.postgres is not None)


async def _prune_daily(ledger: Ledger, config: Config, days: int) -> None:
    older_than = timedelta(days=days)
    while True:
        try:
            removed = await ledger.prune(kept(config, older_than, now=datetime.now(UTC)))
            if removed:
                logger.info("%d records older than %d days were removed", removed, days)
        except LedgerError as err:
            logger.warning("old records were not removed: %s", err)
        await asyncio.sleep(EVERY_S)


def _ns(time: datetime) -> int:
    return int(time.timestamp()) * 10**9
