"""ModelStatusService of the gateway: asks every replica of the services that ask models."""

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import grpc

from gremium.v1 import model_status_pb2, model_status_pb2_grpc
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.models.states import in_order
from services.runtime.calls import call, deadline_from
from services.runtime.channels import open_channel

logger = logging.getLogger(__name__)

MOST_REPLICAS: Final = 64
"""Replicas of one service that are asked."""
LIMIT_S: Final = 2.0
"""Longest wait for one of them."""

Request = model_status_pb2.ListModelStatesRequest
Response = model_status_pb2.ListModelStatesResponse


class Servicer(Protocol):
    """Who tells of one process's models."""

    def replica(self) -> model_status_pb2.Replica: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A replica of a service."""

    service: str
    address: str
    """`host:port`."""

    def __str__(self) -> str:
        return f"{self.service} at {self.address}"


class RemoteStates(model_status_pb2_grpc.ModelStatusServiceServicer):
    """Asks all replicas at once; who does not tell in time is named."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        """`targets` holds the gRPC target of each service."""
        self._targets = dict(targets)
        self._silent: frozenset[str] = frozenset()

    async def ListModelStates(  # noqa: N802 - the contract names it
        self, request: Request, context: grpc.aio.ServicerContext[Any, Any]
    ) -> Response:
        del request
        return await self.told(deadline=deadline_from(context, default_s=LIMIT_S))

    async def told(self, *, deadline: Deadline) -> Response:
        """What all replicas tell."""
        until = deadline.within(LIMIT_S)
        found = await asyncio.gather(*(_places(*each) for each in self._targets.items()))
        places = [place for several in found for place in several]
        told = await asyncio.gather(*(_asked(place, until) for place in places))
        replicas = [each for response in told if response for each in response.replicas]
        missing = [str(p) for p, response in zip(places, told, strict=True) if response is None]
        self._warn(missing)
        return Response(replicas=in_order(replicas), missing=missing)

    def _warn(self, missing: Sequence[str]) -> None:
        """Say once of each replica that it does not tell."""
        for place in sorted(set(missing) - self._silent):
            logger.warning("%s does not tell of its models", place)
        self._silent = frozenset(missing)


class LocalStates(model_status_pb2_grpc.ModelStatusServiceServicer):
    """Asks the services that run in this very process."""

    def __init__(self, servicers: Sequence[Servicer]) -> None:
        self._servicers = tuple(servicers)

    async def ListModelStates(  # noqa: N802 - the contract names it
        self, request: Request, context: grpc.aio.ServicerContext[Any, Any]
    ) -> Response:
        del request
        return await self.told(deadline=deadline_from(context, default_s=LIMIT_S))

    async def told(self, *, deadline: Deadline) -> Response:
        """What the services tell; nobody has to be waited for."""
        del deadline
        return Response(replicas=in_order(each.replica() for each in self._servicers))


async def _places(service: str, target: str) -> list[Place]:
    """Every address that a target's name stands for; the target itself when that is not known."""
    host, _, port = target.rpartition("/")[2].rpartition(":")
    try:
        async with asyncio.timeout(LIMIT_S):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return [Place(service, target)]
    hosts = sorted({str(address[0]) for *_, address in found})[:MOST_REPLICAS]
    return [Place(service, f"[{h}]:{port}" if ":" in h else f"{h}:{port}") for h in hosts]


async def _asked(place: Place, deadline: Deadline) -> Response | None:
    """What a replica tells; None if it does not."""
    async with open_channel(place.address) as channel:
        stub = model_status_pb2_grpc.ModelStatusServiceStub(channel)
        try:
            return await call(stub.ListModelStates, Request(), deadline=deadline)
        except GremiumError as err:
            logger.info("%s does not tell of its models: %s", place, err)
            return None
