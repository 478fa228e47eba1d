"""Serves the console in the gateway's event loop; that it fails or is slow costs no request."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import uvicorn

from services.config.tree import LoadedConfig
from services.gateway.console.app import application
from services.gateway.console.assets import Assets
from services.gateway.console.bounded import CONNECTIONS, BoundedProtocol
from services.gateway.console.desk import Desk
from services.gateway.console.guard import Lock
from services.gateway.console.opening import Console
from services.gateway.console.rendering import Templates
from services.gateway.console.threads import Threads
from services.gateway.model_health import States
from services.gateway.service import EnsembleServicer
from services.gateway.settings import EdgeSettings

logger = logging.getLogger(__name__)

KEEP_ALIVE_S: Final = 5
LARGEST_HEAD_BYTES: Final = 16 * 1024
STOP_S: Final = 1.0
"""Longest wait for pages underway when the gateway stops."""


class _Server(uvicorn.Server):
    """Leaves the process's signals to the gateway."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    settings: EdgeSettings, loaded: LoadedConfig, servicer: EnsembleServicer, states: States
) -> AsyncIterator[Console]:
    """Serve pages until the block ends. A gateway whose console cannot listen goes without."""
    listener = _listening(settings.console)
    if listener is None:
        yield Console()
        return
    desk = _desk(settings, loaded, servicer, states)
    server = _server(desk, names=tuple(settings.console_names.split(",")))
    pages = asyncio.create_task(server.serve([listener]), name="console")
    pages.add_done_callback(_told)
    served = Console(listener.getsockname()[1], partial(_leave, server, desk))
    logger.info("the console listens", extra={"bind": settings.console, "port": served.port})
    try:
        yield served
    finally:
        served.leave()
        await _ended(pages, server)
        desk.threads.close()


def _desk(
    settings: EdgeSettings, loaded: LoadedConfig, servicer: EnsembleServicer, states: States
) -> Desk:
    key = settings.console_key
    return Desk(
        loaded=loaded,
        servicer=servicer,
        states=states,
        assets=(assets := Assets()),
        templates=Templates(assets),
        threads=Threads(),
        lock=Lock(key.get_secret_value() if key else None),
    )


def _server(desk: Desk, *, names: tuple[str, ...]) -> uvicorn.Server:
    """Nothing of the process is changed by it: no signals, no logging, no loop of its own."""
    return _Server(
        uvicorn.Config(
            application(desk, names=names),
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        )
    )


def _leave(server: uvicorn.Server, desk: Desk) -> None:
    """Begin to end: nothing new is taken, and pages that follow something end."""
    desk.leaving.set()
    server.should_exit = True


def _listening(address: str) -> socket.socket | None:
    """A socket that listens there; without one the gateway does its work all the same."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), int(port)))
        listener.listen(CONNECTIONS)
    except (OSError, ValueError, OverflowError) as err:
        listener.close()
        logger.error("no console: cannot listen on %s: %s", address, err)  # noqa: TRY400 - the message says it all
        return None
    return listener


async def _ended(pages: asyncio.Task[None], server: uvicorn.Server) -> None:
    """Wait for the end; what takes longer than it may is cut off."""
    await asyncio.wait([pages], timeout=STOP_S)
    if not pages.done():
        server.force_exit = True
        pages.cancel()
        await asyncio.wait([pages], timeout=STOP_S)


def _told(pages: asyncio.Task[None]) -> None:
    if not pages.cancelled() and (error := pages.exception()) is not None:
        logger.error("the console broke: %s", error, exc_info=error)
