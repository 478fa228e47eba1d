"""Bounds the console's connections: neither many of them nor idle ones take what requests need."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS: Final = 128
"""Connections at once; more are closed as they come."""
HEAD_S: Final = 10.0
"""Time in which the first request has to come over a connection."""


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 over few connections."""

    _opened: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._opened = self.loop.call_later(HEAD_S, self._close_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._opened is not None:
            self._opened.cancel()
        super().connection_lost(exc)

    def _close_if_silent(self) -> None:
        if self.cycle is None:
            self.transport.close()
