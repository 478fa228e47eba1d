"""AggregatorService over gRPC: check, decide, let a model write if that is asked for, pack."""

from typing import Any

import grpc

from aggregator_svc import traced
from aggregator_svc.deciding import ballots_of, decide
from aggregator_svc.synthesising import settled, synthesised
from aggregator_svc.wire import case_from_wire, order_from_wire, response_to_wire
from gremium.v1 import aggregator_pb2, aggregator_pb2_grpc
from services.core.deadline import Deadline
from services.models.embeddings import Embedder
from services.models.roster import Roster
from services.models.states import ModelStatusServicer
from services.runtime.aside import aside
from services.runtime.calls import deadline_from
from services.runtime.rules import check_aside
from services.runtime.spans import part_span
from services.runtime.wire import lease_from_wire


class AggregatorServicer(aggregator_pb2_grpc.AggregatorServiceServicer):
    """Thin: holds what `composed` gave it and delegates every decision."""

    def __init__(
        self, embedder: Embedder | None, roster: Roster, *, embed_timeout_s: float
    ) -> None:
        self._embedder = embedder
        self._roster = roster
        self._embed_timeout_s = embed_timeout_s
        self.models = ModelStatusServicer("aggregator", roster)
        """Tells how the models of the roster fare."""

    async def Aggregate(
        self,
        request: aggregator_pb2.AggregateRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> aggregator_pb2.AggregateResponse:
        await check_aside(request)
        with part_span("tally", {}) as span:
            response = await self._tallied(request, deadline_from(context))
            traced.tell(span, response.tally)
        return response

    async def _tallied(
        self, request: aggregator_pb2.AggregateRequest, deadline: Deadline
    ) -> aggregator_pb2.AggregateResponse:
        case = await aside(request.ByteSize(), case_from_wire, request)
        models = [self._roster.get(name) for name in request.synthesis.models]

        ballots = await ballots_of(case, deadline=deadline)
        until = deadline.within(self._embed_timeout_s)
        decision = await decide(case, ballots, self._embedder, deadline=until)

        if not request.HasField("synthesis"):
            return response_to_wire(decision, request, abstains=case.abstain_key)
        order = await aside(request.ByteSize(), order_from_wire, request.synthesis)
        lease = lease_from_wire(request.lease)
        synthesis = await synthesised(case, decision, order, models, lease=lease, deadline=deadline)

        ended = settled(case, decision, synthesis)
        return response_to_wire(ended, request, synthesis, abstains=case.abstain_key)
