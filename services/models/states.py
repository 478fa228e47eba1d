"""ModelStatusService of a process with a roster, and the same states as metrics."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc

from gremium.v1 import model_status_pb2, model_status_pb2_grpc
from services.models.backend import RosterModel
from services.models.breaker import State
from services.models.guard import Guard
from services.runtime import figures, metrics, names
from services.runtime.instruments import Counter, Gauge
from services.runtime.wire import duration_to_wire, timestamp_to_wire

if TYPE_CHECKING:
    from services.models.roster import Roster

BREAKERS: Final = {
    State.CLOSED: model_status_pb2.BREAKER_STATE_CLOSED,
    State.OPEN: model_status_pb2.BREAKER_STATE_OPEN,
    State.HALF_OPEN: model_status_pb2.BREAKER_STATE_HALF_OPEN,
}
LEVELS: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}
"""The breaker as a number, the worse the higher."""

GAUGES: Final[dict[Counter | Gauge, Callable[[Guard], float]]] = {
    figures.BREAKER_STATE: lambda guard: LEVELS[guard.breaker.state],
    figures.BREAKER_OPENS: lambda guard: guard.breaker.opens,
    figures.CONCURRENCY_LIMIT: lambda guard: guard.limit.allowed,
    figures.IN_FLIGHT: lambda guard: guard.gate.in_flight,
    figures.WAITING: lambda guard: guard.gate.waiting,
    figures.THROTTLED: lambda guard: float(guard.throttle.left_s > 0.0),
    figures.RETRIES: lambda guard: guard.retries.retries,
    figures.HEDGES: lambda guard: guard.hedging.hedges,
}
"""What is measured of each model. It is read by other threads, so nothing may change by it."""


class ModelStatusServicer(model_status_pb2_grpc.ModelStatusServiceServicer):
    """Tells how the models of one roster fare."""

    def __init__(self, service: str, roster: "Roster") -> None:
        self._service = service
        self._roster = roster

    async def ListModelStates(  # noqa: N802 - the contract names it
        self,
        request: model_status_pb2.ListModelStatesRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> model_status_pb2.ListModelStatesResponse:
        del request, context
        return model_status_pb2.ListModelStatesResponse(replicas=[self.replica()])

    def replica(self) -> model_status_pb2.Replica:
        """The process and its models."""
        models = sorted(self._roster.models, key=lambda model: model.name)
        return model_status_pb2.Replica(
            service=self._service, id=replica_id(), models=[_state_to_wire(m) for m in models]
        )

    def measure(self) -> None:
        """Let the process's metrics tell the states from now on."""
        for gauge, value in GAUGES.items():
            metrics.watch(gauge, partial(self._readings, value))

    def _readings(self, value: Callable[[Guard], float]) -> Iterator[metrics.Reading]:
        for model in self._roster.models:
            yield value(model.guard), {names.SERVICE: self._service, names.MODEL: model.name}


def replica_id() -> str:
    """Name of the process, by which its operators can find it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _state_to_wire(model: RosterModel) -> model_status_pb2.ModelState:
    state = model.guard.state()
    told = model_status_pb2.ModelState(
        model=model.name,
        breaker=BREAKERS[state.breaker],
        since_time=timestamp_to_wire(state.since),
        recent_failures=state.failures,
        opens=state.opens,
        concurrency_limit=state.limit,
        in_flight=state.in_flight,
        waiting=state.waiting,
        retries=state.retries,
        hedges=state.hedges,
    )
    if state.probe_in_s is not None:
        told.probe_in.CopyFrom(duration_to_wire(state.probe_in_s))
    if state.throttled_until is not None:
        told.throttled_until_time.CopyFrom(timestamp_to_wire(state.throttled_until))
    if state.p50_s is not None:
        told.latency_p50.CopyFrom(duration_to_wire(state.p50_s))
    if state.p95_s is not None:
        told.latency_p95.CopyFrom(duration_to_wire(state.p95_s))
    return told


def in_order(
    replicas: Iterable[model_status_pb2.Replica],
) -> list[model_status_pb2.Replica]:
    """Replicas by service and name."""
    return sorted(replicas, key=lambda each: (each.service, each.id))
