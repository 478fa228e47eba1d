"""Puts another trained router in use while requests go on, once the shelf names it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from router_svc.learned import Learned
from services.config.tree import LoadedConfig
from services.core.errors import GremiumError
from services.models.late_embedder import LateEmbedder
from services.routing.artefact import RoutingError
from services.routing.configured import in_use, shelf_of
from services.routing.shelf import ShelfError

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""Time between two looks at the shelf."""


@asynccontextmanager
async def swapping(
    loaded: LoadedConfig, learned: Learned, embedder: LateEmbedder
) -> AsyncIterator[None]:
    """Follow the shelf until the block ends; a configured artefact is kept to instead."""
    if loaded.config.router.artefact is not None:
        yield
        return
    following = asyncio.create_task(_follow(loaded, learned, embedder))
    try:
        yield
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _follow(loaded: LoadedConfig, learned: Learned, embedder: LateEmbedder) -> None:
    shelf = shelf_of(loaded)
    seen, used = object(), learned.id
    while True:
        stamp = await asyncio.to_thread(lambda: shelf.stamp)
        if stamp != seen:
            seen = stamp
            used = await _swapped(loaded, learned, embedder, used)
        await asyncio.sleep(LOOK_S)


async def _swapped(
    loaded: LoadedConfig, learned: Learned, embedder: LateEmbedder, used: str
) -> str:
    """Put in use what the shelf names, unless that cannot be used; tell what is in use."""
    shelf, kept = shelf_of(loaded), used or "heuristics"
    try:
        if await asyncio.to_thread(shelf.current) == (used or None):
            return used
        routing = await asyncio.to_thread(in_use, shelf, loaded.config.embeddings)
        if routing is not None:
            await embedder.open()
    except (RoutingError, ShelfError, GremiumError) as err:
        logger.warning("the trained router is not swapped, %s stays in use: %s", kept, err)
        return used
    learned.swap(routing)
    logger.info("trained router %s takes the place of %s", learned.id or "none", kept)
    return learned.id
