"""RouterService over gRPC: check, read, decide, pack."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import grpc

from gremium.v1 import router_pb2, router_pb2_grpc
from router_svc.catalog import EnsembleProfile
from router_svc.explain import Reading, Reason
from router_svc.plan_wire import outcome_to_wire, planner_lease_from_wire
from router_svc.planning import Desk, Task
from router_svc.policy import Decision, convene, route
from router_svc.profiles import Limits
from router_svc.reading import Reader
from router_svc.shares import ShareWatch
from router_svc.terms import Rule
from router_svc.wire import decision_to_wire, limits_from_wire
from services.core.errors import NoEligibleTierError, UnknownEnsembleError
from services.models.backend import RosterModel
from services.runtime.calls import deadline_from
from services.runtime.rules import check_aside
from services.runtime.wire import lease_from_wire, prompt_aside

logger = logging.getLogger(__name__)

NO_PLANNERS: Final[Mapping[str, RosterModel]] = {}


class RouterServicer(router_pb2_grpc.RouterServiceServicer):
    """Thin: holds what `composed` gave it and delegates every decision."""

    def __init__(
        self,
        ensembles: Mapping[str, EnsembleProfile],
        reader: Reader,
        *,
        planners: Mapping[str, RosterModel] = NO_PLANNERS,
        min_on_time: float = 0.5,
    ) -> None:
        self._ensembles = ensembles
        self._reader = reader
        self._desk = Desk(reader, planners)
        self._min_on_time = min_on_time
        self._shares: dict[str, ShareWatch] = {}

    async def Route(
        self, request: router_pb2.RouteRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> router_pb2.RouteResponse:
        await check_aside(request)
        deadline = deadline_from(context)
        ensemble = self._ensemble(request.ensemble)
        prompt = await prompt_aside(request.prompt)

        reading = await self._reader.read(prompt, deadline=deadline)
        limits = limits_from_wire(request, min_on_time=self._min_on_time)
        decision = decided(ensemble, reading, limits, request)
        self._watch_share(request.ensemble, ensemble, decision)

        return router_pb2.RouteResponse(decision=decision_to_wire(decision, reading))

    async def Plan(
        self, request: router_pb2.PlanRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> router_pb2.PlanResponse:
        await check_aside(request)
        deadline = deadline_from(context)
        ensemble = self._ensemble(request.ensemble)
        prompt, lease = await prompt_aside(request.prompt), lease_from_wire(request.lease)

        task = Task(
            request.ensemble,
            prompt,
            lease,
            deadline,
            planner_lease=planner_lease_from_wire(request),
            ask_planner=not request.without_planner,
        )
        if ensemble.staff is not None and ensemble.direct is not None:
            outcome = await self._desk.made(ensemble.staff, ensemble.direct, task)
        else:
            outcome = await self._desk.configured(ensemble.graph, ensemble.direct, task)

        return outcome_to_wire(outcome)

    def _watch_share(self, name: str, ensemble: EnsembleProfile, decision: Decision) -> None:
        """Warn when the share of strong calls is no longer the one that was asked for."""
        if ensemble.terms is None or decision.rule is not Rule.STRONG_SHARE:
            return
        watch = self._shares.setdefault(name, ShareWatch(ensemble.terms.share))
        if told := watch.note(strong=decision.reason is Reason.STRONG):
            logger.warning("ensemble %s: %s", name, told)

    def _ensemble(self, name: str) -> EnsembleProfile:
        if name not in self._ensembles:
            raise UnknownEnsembleError.named(name, self._ensembles)
        return self._ensembles[name]


def decided(
    ensemble: EnsembleProfile, reading: Reading, limits: Limits, request: router_pb2.RouteRequest
) -> Decision:
    """Decide by the ensemble's pattern."""
    if ensemble.is_planned:
        raise NoEligibleTierError(
            f"ensemble {request.ensemble!r} has steps, not tiers; ask for its plan"
        )
    if ensemble.terms is None:
        return convene(ensemble.tiers[0], reading, limits)
    asked = request.HasField("min_adequacy")
    least = request.min_adequacy if asked else ensemble.terms.min_adequacy
    return route(ensemble.tiers, reading, limits, replace(ensemble.terms, min_adequacy=least))
