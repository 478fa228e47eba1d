"""What the pages look at, and how one is made: what the event loop knows first, the rest aside."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

from gremium.v1 import ensemble_pb2, model_status_pb2
from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.gateway.console.assets import Assets
from services.gateway.console.guard import Lock
from services.gateway.console.reading import Limit, Reading, reading
from services.gateway.console.rendering import Templates
from services.gateway.console.threads import Threads
from services.gateway.live import Live
from services.gateway.model_health import UNTRACED, States
from services.gateway.service import EnsembleServicer
from services.runtime import telemetry
from services.runtime.local import call_local

ASK_S: Final = 3.0
"""Longest wait for what other parts of the mesh tell."""
SERVICE: Final = "/gremium.v1.EnsembleService"

View = Callable[[Reading], Mapping[str, object]]
"""What a page is told, read from the ledger in a thread."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page is made from."""

    loaded: LoadedConfig
    servicer: EnsembleServicer
    states: States
    assets: Assets
    templates: Templates
    threads: Threads
    lock: Lock
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the gateway stops: pages that follow something end."""

    @property
    def live(self) -> Live:
        return self.servicer.live

    @property
    def ledger_path(self) -> Path:
        return self.loaded.resolve(self.loaded.config.ledger.path)

    async def page(
        self, template: str, view: View, *, status: int = 200, **known: object
    ) -> HTMLResponse:
        """A whole page; its limits are those of the threads.

        Raises
        ------
        BusyError, TooSlowError, LedgerError, UnknownRequestError
            If it cannot be made.
        """
        html = await self.threads.work(lambda limit: self._made(template, view, limit, known))
        return HTMLResponse(html, status)

    async def part(self, template: str, **known: object) -> str:
        """A part of a page that reads nothing."""
        return await self.threads.work(lambda _: self.templates.render(template, known))

    def _made(self, template: str, view: View, limit: Limit, known: Mapping[str, object]) -> str:
        with reading(self.ledger_path, limit) as opened:
            told = view(opened)
        limit.check()
        return self.templates.render(template, {**known, **told})

    async def ensembles(self) -> ensemble_pb2.ListEnsemblesResponse:
        """The configured ensembles, and how stages and budgets stand."""
        with telemetry.carrying(UNTRACED):
            return await call_local(
                self.servicer.ListEnsembles,
                ensemble_pb2.ListEnsemblesRequest(),
                deadline=Deadline.after(ASK_S),
                method=f"{SERVICE}/ListEnsembles",
            )

    async def replicas(self) -> model_status_pb2.ListModelStatesResponse:
        """How the models fare in each process."""
        with telemetry.carrying(UNTRACED):
            return await self.states.told(deadline=Deadline.after(ASK_S))

    async def say(
        self, request: ensemble_pb2.SubmitFeedbackRequest
    ) -> ensemble_pb2.SubmitFeedbackResponse:
        """Record what somebody thinks of an answer.

        Raises
        ------
        GremiumError
            If it cannot be recorded.
        """
        return await call_local(
            self.servicer.SubmitFeedback,
            request,
            deadline=Deadline.after(ASK_S),
            method=f"{SERVICE}/SubmitFeedback",
        )


def desk_of(request: Request) -> Desk:
    """The desk of the console that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
