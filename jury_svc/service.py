"""JuryService over gRPC: check, deliberate, answer."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from gremium.v1 import jury_pb2, jury_pb2_grpc
from jury_svc.case import Event
from jury_svc.deliberation import deliberate
from jury_svc.progress import follow
from jury_svc.wire import case_from_wire, event_to_wire, hearing_to_wire
from services.models.roster import Roster
from services.models.states import ModelStatusServicer
from services.runtime.aside import aside
from services.runtime.calls import deadline_from
from services.runtime.rules import check_aside

Context = grpc.aio.ServicerContext[Any, Any]


class JuryServicer(jury_pb2_grpc.JuryServiceServicer):
    """Thin: holds the roster and delegates every decision."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self.models = ModelStatusServicer("jury", roster)
        """Tells how the models of the roster fare."""

    async def Deliberate(
        self, request: jury_pb2.DeliberateRequest, context: Context
    ) -> jury_pb2.DeliberateResponse:
        await check_aside(request)
        case = await aside(request.ByteSize(), case_from_wire, request, self._roster)

        hearing = await deliberate(case, deadline=deadline_from(context), tell=_nobody)

        return hearing_to_wire(hearing, tier=request.tier)

    async def DeliberateStream(
        self, request: jury_pb2.DeliberateStreamRequest, context: Context
    ) -> AsyncIterator[jury_pb2.DeliberateStreamResponse]:
        await check_aside(request)
        asked = request.deliberation
        case = await aside(asked.ByteSize(), case_from_wire, asked, self._roster)

        async with aclosing(follow(case, deadline=deadline_from(context))) as events:
            async for event in events:
                yield event_to_wire(event, tier=asked.tier)


def _nobody(event: Event) -> None:
    """A unary call has nobody to tell."""
    del event
