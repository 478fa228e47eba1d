"""AggregatorService over gRPC: check, decide, pack."""

from typing import Any

import grpc

from aggregator_svc.deciding import ballots_of, decide
from aggregator_svc.wire import case_from_wire, response_to_wire
from gremium.v1 import aggregator_pb2, aggregator_pb2_grpc
from services.models.embeddings import Embedder
from services.runtime.calls import deadline_from
from services.runtime.wire import check


class AggregatorServicer(aggregator_pb2_grpc.AggregatorServiceServicer):
    """Thin: holds the embedder and delegates every decision."""

    def __init__(self, embedder: Embedder | None, *, embed_timeout_s: float) -> None:
        self._embedder = embedder
        self._embed_timeout_s = embed_timeout_s

    async def Aggregate(
        self,
        request: aggregator_pb2.AggregateRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> aggregator_pb2.AggregateResponse:
        check(request)
        case = case_from_wire(request)
        deadline = deadline_from(context)

        ballots = await ballots_of(case, deadline=deadline)
        until = deadline.within(self._embed_timeout_s)
        decision = await decide(case, ballots, self._embedder, deadline=until)

        return response_to_wire(decision, request)
