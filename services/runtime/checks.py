"""The standard health service, whose watchers are sent away when the service ends."""

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2


class Checks(health.aio.HealthServicer):  # type: ignore[misc]
    """The package's servicer; its Watch alone would last until the drain is over."""

    def __init__(self) -> None:
        super().__init__()
        self._watching: set[asyncio.Task[None]] = set()

    async def Watch(  # noqa: N802 - a gRPC method
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        watching = asyncio.create_task(super().Watch(request, context))
        self._watching.add(watching)
        try:
            await asyncio.wait([watching])
        finally:
            watching.cancel()
            self._watching.discard(watching)
        if not watching.cancelled():
            watching.result()

    def send_away(self) -> None:
        """End all watches."""
        for watching in self._watching:
            watching.cancel()
