"""Asks the engine of a local model whether it serves."""

from typing import Final

import aiohttp

CHECK_LIMIT_S: Final = 2.0


async def is_engine_ready(address: str) -> bool:
    """Whether the engine at `host:port` has loaded its model."""
    limit = aiohttp.ClientTimeout(total=CHECK_LIMIT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(f"http://{address}/health") as reply,
        ):
            return reply.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
