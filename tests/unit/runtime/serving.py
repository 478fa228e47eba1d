"""A servicer that behaves as the request's ensemble says, and a server for it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from google.rpc import error_details_pb2, status_pb2

from gremium.v1 import jury_pb2, jury_pb2_grpc, router_pb2, router_pb2_grpc
from services.core.errors import InvalidRequestError, PeerError, QuorumNotReachedError
from services.runtime.calls import call, deadline_from
from services.runtime.channels import open_channel
from services.runtime.server import running
from services.runtime.settings import ServerSettings
from services.runtime.status import DETAILS_KEY

ROUTER = "gremium.v1.RouterService"
JURY = "gremium.v1.JuryService"


@dataclass
class Router(router_pb2_grpc.RouterServiceServicer):
    """Routes nothing; fails as asked."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    next_hop: router_pb2_grpc.RouterServiceStub | None = None
    peers: list[str] = field(default_factory=list)
    """Who called, in order."""

    async def Route(self, request, context):  # noqa: N802 - a gRPC method
        deadline = deadline_from(context)
        self.peers.append(context.peer())
        self.started.set()
        match request.ensemble:
            case "bug":
                raise TypeError("secret detail")
            case "quorum":
                raise QuorumNotReachedError.counting(answered=1, quorum=2)
            case "verbose":
                raise verbose_error()
            case "peer":
                raise PeerError("nobody home")
            case "large":
                return decided("x" * 100_000)
            case "nap":
                await asyncio.sleep(0.5)
            case "wait":
                await self.release.wait()
            case "hang":
                await self._hang()
            case "forward":
                inner = router_pb2.RouteRequest(ensemble="hang")
                await call(self.next_hop.Route, inner, deadline=deadline)
        return decided(str(deadline.left_s))

    async def _hang(self):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@dataclass
class Jury(jury_pb2_grpc.JuryServiceServicer):
    """Streams one event, then ends as the tier's name says."""

    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def DeliberateStream(self, request, context):  # noqa: N802 - a gRPC method
        yield jury_pb2.DeliberateStreamResponse(started=jury_pb2.JurorStarted(juror="a"))
        match request.deliberation.tier:
            case "bug":
                raise TypeError("secret detail")
            case "quorum":
                raise QuorumNotReachedError.counting(answered=1, quorum=2)
            case "hang":
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    self.cancelled.set()
                    raise
            case "flood":
                async for event in self._flood():
                    yield event

    async def _flood(self):
        delta = jury_pb2.JurorDelta(juror="a", text="x" * 100_000)
        try:
            while True:
                yield jury_pb2.DeliberateStreamResponse(delta=delta)
        finally:
            self.cancelled.set()


def verbose_error():
    """An error that holds more than trailers can carry."""
    parrots = "🦜" * 5_000
    metadata = {"request_id": "r1"} | {f"key{n}": parrots for n in range(50)}
    violations = tuple((f"field{n}", parrots) for n in range(50))
    return InvalidRequestError(parrots, violations=violations, **metadata)


def decided(text):
    return router_pb2.RouteResponse(decision=router_pb2.RouteDecision(reason_text=text))


@asynccontextmanager
async def listening(router=None, jury=None, **settings):
    """Yields the port of a running server."""

    def register(server):
        router_pb2_grpc.add_RouterServiceServicer_to_server(router or Router(), server)
        jury_pb2_grpc.add_JuryServiceServicer_to_server(jury or Jury(), server)

    chosen = ServerSettings(**{"drain_s": 0.2, "leave_s": 0, **settings})
    async with running(chosen, register, services=[ROUTER, JURY]) as port:
        yield port


@asynccontextmanager
async def served(router=None, jury=None, **settings):
    """Yields an open channel to a running server."""
    async with (
        listening(router, jury, **settings) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel


def route(ensemble=""):
    return router_pb2.RouteRequest(ensemble=ensemble)


def stub(channel):
    return router_pb2_grpc.RouterServiceStub(channel)


def followed(channel, tier):
    """A stream of the jury, which ends as the tier's name says."""
    request = jury_pb2.DeliberateStreamRequest(deliberation=jury_pb2.DeliberateRequest(tier=tier))
    return jury_pb2_grpc.JuryServiceStub(channel).DeliberateStream(request, timeout=30)


def details(err):
    """The google.rpc details in an error's trailers."""
    return status_pb2.Status.FromString(dict(err.trailing_metadata())[DETAILS_KEY]).details


def kind(detail):
    return detail.type_url.rpartition(".")[2]


def info(err):
    found = error_details_pb2.ErrorInfo()
    details(err)[0].Unpack(found)
    return found


def reason(err):
    return info(err).reason
