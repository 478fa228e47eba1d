"""The four services as the gateway sees them: one method per stage, two transports."""

import asyncio
import logging
from typing import Protocol

import grpc

from gremium.v1 import (
    aggregator_pb2,
    aggregator_pb2_grpc,
    judge_pb2,
    judge_pb2_grpc,
    jury_pb2,
    jury_pb2_grpc,
    router_pb2,
    router_pb2_grpc,
)
from services.core.deadline import Deadline
from services.core.errors import InternalError
from services.gateway.watch import JuryWatch
from services.runtime.calls import call, follow
from services.runtime.local import call_local, follow_local

logger = logging.getLogger(__name__)


class Mesh(Protocol):
    """Every method raises the callee's own GremiumError, DeadlineSpentError when time is up."""

    async def route(
        self, request: router_pb2.RouteRequest, *, deadline: Deadline
    ) -> router_pb2.RouteResponse:
        """Choose the tiers."""
        ...

    async def plan(
        self, request: router_pb2.PlanRequest, *, deadline: Deadline
    ) -> router_pb2.PlanResponse:
        """Order the steps."""
        ...

    async def deliberate(
        self,
        request: jury_pb2.DeliberateRequest,
        *,
        deadline: Deadline,
        watch: JuryWatch | None = None,
    ) -> jury_pb2.DeliberateResponse:
        """Ask a tier's jurors, and tell whoever watches how they fare."""
        ...

    async def aggregate(
        self, request: aggregator_pb2.AggregateRequest, *, deadline: Deadline
    ) -> aggregator_pb2.AggregateResponse:
        """Count their answers."""
        ...

    async def verify(
        self, request: judge_pb2.VerifyRequest, *, deadline: Deadline
    ) -> judge_pb2.VerifyResponse:
        """Audit the representative."""
        ...

    async def rank(
        self, request: judge_pb2.RankRequest, *, deadline: Deadline
    ) -> judge_pb2.RankResponse:
        """Compare answers with each other."""
        ...


class GrpcMesh:
    """Four services in processes of their own."""

    def __init__(
        self,
        *,
        router: grpc.aio.Channel,
        jury: grpc.aio.Channel,
        judge: grpc.aio.Channel,
        aggregator: grpc.aio.Channel,
    ) -> None:
        self._channels = {"router": router, "jury": jury, "judge": judge, "aggregator": aggregator}
        self._router = router_pb2_grpc.RouterServiceStub(router)
        self._jury = jury_pb2_grpc.JuryServiceStub(jury)
        self._judge = judge_pb2_grpc.JudgeServiceStub(judge)
        self._aggregator = aggregator_pb2_grpc.AggregatorServiceStub(aggregator)

    async def ready(self, *, patience_s: float) -> None:
        """Wait until requests can be answered: for the jury, and `patience_s` for the others.

        The others have fallbacks; whoever is late is found as soon as it serves.
        """
        waiting = [asyncio.create_task(self._serving(each)) for each in self._channels]
        try:
            await self._serving("jury")
            late = (await asyncio.wait(waiting, timeout=patience_s))[1]
            if late:
                logger.warning("%d services are not there; serving without them", len(late))
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)

    async def _serving(self, stage: str) -> None:
        """Wait until a replica of a stage says SERVING."""
        await self._channels[stage].channel_ready()

    async def route(
        self, request: router_pb2.RouteRequest, *, deadline: Deadline
    ) -> router_pb2.RouteResponse:
        return await call(self._router.Route, request, deadline=deadline)

    async def plan(
        self, request: router_pb2.PlanRequest, *, deadline: Deadline
    ) -> router_pb2.PlanResponse:
        return await call(self._router.Plan, request, deadline=deadline)

    async def deliberate(
        self,
        request: jury_pb2.DeliberateRequest,
        *,
        deadline: Deadline,
        watch: JuryWatch | None = None,
    ) -> jury_pb2.DeliberateResponse:
        if watch is None:
            return await call(self._jury.Deliberate, request, deadline=deadline)
        stream, told = jury_pb2.DeliberateStreamRequest(deliberation=request), _Told(watch)
        await follow(self._jury.DeliberateStream, stream, deadline=deadline, tell=told)
        return told.result()

    async def aggregate(
        self, request: aggregator_pb2.AggregateRequest, *, deadline: Deadline
    ) -> aggregator_pb2.AggregateResponse:
        return await call(self._aggregator.Aggregate, request, deadline=deadline)

    async def verify(
        self, request: judge_pb2.VerifyRequest, *, deadline: Deadline
    ) -> judge_pb2.VerifyResponse:
        return await call(self._judge.Verify, request, deadline=deadline)

    async def rank(
        self, request: judge_pb2.RankRequest, *, deadline: Deadline
    ) -> judge_pb2.RankResponse:
        return await call(self._judge.Rank, request, deadline=deadline)


class LocalMesh:
    """The same four services in this process: no sockets, no serialisation."""

    def __init__(
        self,
        *,
        router: router_pb2_grpc.RouterServiceServicer,
        jury: jury_pb2_grpc.JuryServiceServicer,
        judge: judge_pb2_grpc.JudgeServiceServicer,
        aggregator: aggregator_pb2_grpc.AggregatorServiceServicer,
    ) -> None:
        self._router = router
        self._jury = jury
        self._judge = judge
        self._aggregator = aggregator

    async def route(
        self, request: router_pb2.RouteRequest, *, deadline: Deadline
    ) -> router_pb2.RouteResponse:
        method = "/gremium.v1.RouterService/Route"
        return await call_local(self._router.Route, request, deadline=deadline, method=method)

    async def plan(
        self, request: router_pb2.PlanRequest, *, deadline: Deadline
    ) -> router_pb2.PlanResponse:
        method = "/gremium.v1.RouterService/Plan"
        return await call_local(self._router.Plan, request, deadline=deadline, method=method)

    async def deliberate(
        self,
        request: jury_pb2.DeliberateRequest,
        *,
        deadline: Deadline,
        watch: JuryWatch | None = None,
    ) -> jury_pb2.DeliberateResponse:
        method = "/gremium.v1.JuryService/Deliberate"
        if watch is None:
            return await call_local(
                self._jury.Deliberate, request, deadline=deadline, method=method
            )
        stream, told = jury_pb2.DeliberateStreamRequest(deliberation=request), _Told(watch)
        await follow_local(
            self._jury.DeliberateStream,
            stream,
            deadline=deadline,
            method=f"{method}Stream",
            tell=told,
        )
        return told.result()

    async def aggregate(
        self, request: aggregator_pb2.AggregateRequest, *, deadline: Deadline
    ) -> aggregator_pb2.AggregateResponse:
        method = "/gremium.v1.AggregatorService/Aggregate"
        return await call_local(
            self._aggregator.Aggregate, request, deadline=deadline, method=method
        )

    async def verify(
        self, request: judge_pb2.VerifyRequest, *, deadline: Deadline
    ) -> judge_pb2.VerifyResponse:
        method = "/gremium.v1.JudgeService/Verify"
        return await call_local(self._judge.Verify, request, deadline=deadline, method=method)

    async def rank(
        self, request: judge_pb2.RankRequest, *, deadline: Deadline
    ) -> judge_pb2.RankResponse:
        method = "/gremium.v1.JudgeService/Rank"
        return await call_local(self._judge.Rank, request, deadline=deadline, method=method)


class _Told:
    """What a jury told: its progress goes to whoever watches, its result is kept."""

    def __init__(self, watch: JuryWatch) -> None:
        self._watch = watch
        self._done: jury_pb2.DeliberateResponse | None = None

    def __call__(self, event: jury_pb2.DeliberateStreamResponse) -> None:
        if event.HasField("done"):
            self._done = event.done
        else:
            self._watch(event)

    def result(self) -> jury_pb2.DeliberateResponse:
        if self._done is None:
            raise InternalError("the jury ended its stream without a result")
        return self._done
