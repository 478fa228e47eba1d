"""The page of the roster: every model, and how it fares in each process that asks it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gremium.v1 import model_status_pb2
from services.config.tree import Config, Model
from services.core.errors import GremiumError
from services.gateway.console.desk import Desk, desk_of

LOOKS: Mapping[int, tuple[str, str]] = {
    model_status_pb2.BREAKER_STATE_CLOSED: ("ok", "ok"),
    model_status_pb2.BREAKER_STATE_OPEN: ("bad", "bad"),
    model_status_pb2.BREAKER_STATE_HALF_OPEN: ("warn", "busy"),
}
"""Colour and shape by breaker state."""


@dataclass(frozen=True, slots=True)
class Place:
    """How a model fares in one process."""

    service: str
    process: str
    state: model_status_pb2.ModelState
    look: str
    shape: str

    @property
    def asked(self) -> bool:
        """Whether there is anything to tell of the model here."""
        state = self.state
        counted = state.recent_failures or state.opens or state.in_flight or state.waiting
        return bool(counted) or self.look != "ok" or state.HasField("latency_p50")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the roster."""

    name: str
    model: Model
    places: tuple[Place, ...]
    idle: tuple[Place, ...]
    """Processes that never asked it."""

    @property
    def trouble(self) -> bool:
        """Whether some process leaves it alone."""
        return any(place.look != "ok" for place in self.places)


async def roster(request: Request) -> Response:
    """`GET /roster`."""
    desk = desk_of(request)
    told, known = await asyncio.gather(_told(desk), desk.ensembles())
    return await desk.page(
        "roster.html",
        lambda _: {},
        entries=entries(desk.loaded.config, told.replicas if told else ()),
        missing=list(told.missing) if told else ["nobody told in time"],
        stages=list(known.stages),
        drifts=list(known.drifts),
    )


async def _told(desk: Desk) -> model_status_pb2.ListModelStatesResponse | None:
    try:
        return await desk.replicas()
    except (GremiumError, TimeoutError):
        return None


def entries(config: Config, replicas: Iterable[model_status_pb2.Replica]) -> list[Entry]:
    """All models by name; those that some process leaves alone first."""
    places: dict[str, list[Place]] = {name: [] for name in config.models}
    for replica in replicas:
        for state in replica.models:
            places.setdefault(state.model, []).append(_place(replica, state))
    found = [_entry(name, model, places[name]) for name, model in config.models.items()]
    return sorted(found, key=lambda entry: (not entry.trouble, entry.name))


def _entry(name: str, model: Model, places: Iterable[Place]) -> Entry:
    known = list(places)
    asked = [place for place in known if place.asked]
    return Entry(name, model, tuple(asked), tuple(place for place in known if not place.asked))


def _place(replica: model_status_pb2.Replica, state: model_status_pb2.ModelState) -> Place:
    look, shape = LOOKS.get(state.breaker, ("quiet", "off"))
    return Place(replica.service, replica.id, state, look, shape)
