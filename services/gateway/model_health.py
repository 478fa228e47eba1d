"""How the jurors' models fare, as their processes told of late: what the router is to know of it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from statistics import median
from typing import Final, Protocol

from gremium.v1 import model_status_pb2
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.runtime import telemetry
from services.runtime.wire import duration_from_wire, duration_to_wire

logger = logging.getLogger(__name__)

EVERY_S: Final = 5.0
"""Pause between two questions."""
LIMIT_S: Final = 2.0
"""Longest wait for the replicas of all services."""
OLD_S: Final = 30.0
"""Age from which on states say nothing any more."""
UNTRACED: Final = {telemetry.TRACEPARENT: f"00-{'1' * 32}-{'1' * 16}-00"}
"""These calls belong to no request: a span for each would tell nothing."""
OPEN: Final = model_status_pb2.BREAKER_STATE_OPEN


class States(Protocol):
    """Whoever can ask all replicas."""

    async def told(self, *, deadline: Deadline) -> model_status_pb2.ListModelStatesResponse: ...


class ModelHealth:
    """The latest states of the jurors' models."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._models: tuple[model_status_pb2.ModelState, ...] = ()
        self._noted_at = clock()

    def note(self, replicas: Iterable[model_status_pb2.Replica]) -> None:
        """Keep what the replicas told."""
        self._models = merged(replicas)
        self._noted_at = self._clock()

    @property
    def models(self) -> tuple[model_status_pb2.ModelState, ...]:
        """One state a model; none while they are unknown or too old.

        An open breaker counts until it would let a call through: a model that
        nobody asked any more would never be found to be back.
        """
        age_s = self._clock() - self._noted_at
        return () if age_s > OLD_S else tuple(probed(each, age_s) for each in self._models)


@asynccontextmanager
async def watched(states: States | None, *, every_s: float = EVERY_S) -> AsyncIterator[ModelHealth]:
    """What the models' states are, asked again and again until the block ends."""
    health = ModelHealth()
    if states is None:
        yield health
        return
    asking = asyncio.create_task(_keep_asking(states, health, every_s))
    try:
        yield health
    finally:
        asking.cancel()
        await asyncio.wait([asking])


def merged(
    replicas: Iterable[model_status_pb2.Replica],
) -> tuple[model_status_pb2.ModelState, ...]:
    """One state for each model that the jury's replicas ask.

    A request may reach any of them: a model is left alone while all leave it
    alone, its median is the replicas' median, and its slow end the slowest one's.
    """
    by_model: dict[str, list[model_status_pb2.ModelState]] = {}
    for replica in replicas:
        for state in replica.models if replica.service == "jury" else ():
            by_model.setdefault(state.model, []).append(state)
    return tuple(_merged(name, states) for name, states in sorted(by_model.items()))


def probed(state: model_status_pb2.ModelState, age_s: float) -> model_status_pb2.ModelState:
    """A state as it is so many seconds after it was told: open until a call is let through."""
    if state.breaker != OPEN or duration_from_wire(state.probe_in) > age_s:
        return state
    now = model_status_pb2.ModelState()
    now.CopyFrom(state)
    now.breaker = model_status_pb2.BREAKER_STATE_HALF_OPEN
    return now


def _merged(
    name: str, states: Sequence[model_status_pb2.ModelState]
) -> model_status_pb2.ModelState:
    is_open = all(state.breaker == OPEN for state in states)
    closed = model_status_pb2.BREAKER_STATE_CLOSED
    found = model_status_pb2.ModelState(model=name, breaker=OPEN if is_open else closed)
    if is_open:
        soonest = min(duration_from_wire(state.probe_in) for state in states)
        found.probe_in.CopyFrom(duration_to_wire(soonest))
    p50s = [duration_from_wire(s.latency_p50) for s in states if s.HasField("latency_p50")]
    p95s = [duration_from_wire(s.latency_p95) for s in states if s.HasField("latency_p95")]
    if p50s:
        found.latency_p50.CopyFrom(duration_to_wire(median(p50s)))
    if p95s:
        found.latency_p95.CopyFrom(duration_to_wire(max(p95s)))
    return found


async def _keep_asking(states: States, health: ModelHealth, every_s: float) -> None:
    with telemetry.carrying(UNTRACED):
        while True:
            try:
                health.note((await states.told(deadline=Deadline.after(LIMIT_S))).replicas)
            except (GremiumError, TimeoutError) as err:
                logger.warning("the states of the models are not known: %s", err)
            await asyncio.sleep(every_s)
