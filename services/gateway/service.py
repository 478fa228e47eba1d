"""EnsembleService over gRPC: check, take the deadline, call the flow, pack."""

import logging
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import grpc
import numpy as np

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc
from services.calibration.artefact import Calibration
from services.config.slots import ensemble_slots
from services.config.tree import Ensemble, LoadedConfig
from services.core.errors import (
    GremiumError,
    InternalError,
    RequestInProgressError,
    UnknownEnsembleError,
)
from services.gateway import catalog, flow
from services.gateway.accounts import Accounts
from services.gateway.case import Case
from services.gateway.experience import Experience
from services.gateway.feedback import understood
from services.gateway.fitting import fit
from services.gateway.likeness import Likeness
from services.gateway.live import Live
from services.gateway.measured import measure_feedback
from services.gateway.mesh import Mesh
from services.gateway.model_health import ModelHealth
from services.gateway.pace import price_of_money
from services.gateway.progress import follow
from services.gateway.shadow import Shadows
from services.gateway.stage_log import StageLog
from services.gateway.underway import Underway, told_again
from services.gateway.watch import Watch
from services.ledger.sqlite import Ledger
from services.retrieval.shelves import Shelves
from services.runtime import figures, metrics, names
from services.runtime.admission import Admission
from services.runtime.callers import current_caller
from services.runtime.calls import deadline_from
from services.runtime.rules import check_aside
from services.runtime.wire import prompt_aside

logger = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class EnsembleServicer(ensemble_pb2_grpc.EnsembleServiceServicer):
    """Thin: holds what `main()` gave it and delegates every decision."""

    def __init__(
        self,
        mesh: Mesh,
        ledger: Ledger,
        loaded: LoadedConfig,
        shelves: Shelves | None = None,
        accounts: Accounts = flow.NO_ACCOUNTS,
        *,
        calibration: Calibration | None = None,
        health: ModelHealth | None = None,
        experience: Experience | None = None,
        likeness: Likeness | None = None,
        shadows: Shadows | None = None,
    ) -> None:
        self._mesh = mesh
        self._shelves = shelves
        self._ledger = ledger
        self._accounts = accounts
        self._calibration = calibration
        self._health = health or ModelHealth()
        self._experience = experience or Experience(np.random.default_rng())
        self._likeness = likeness or Likeness()
        self._shadows = shadows
        self._config = loaded.config
        self._sha256 = loaded.sha256
        self._slots = {
            name: Admission(ensemble_slots(loaded.config, each))
            for name, each in loaded.config.ensembles.items()
        }
        metrics.watch(figures.REQUESTS_ACTIVE, self._active)
        self._stages = StageLog()
        self.live = Live()
        """The requests that are answered now."""
        self._underway = Underway()

    @property
    def trouble(self) -> str:
        """Why no request can be answered for a while; empty while requests can be recorded."""
        return self._ledger.trouble

    async def Ask(
        self, request: ensemble_pb2.AskRequest, context: Context
    ) -> ensemble_pb2.AskResponse:
        request_id = request.request_id or uuid.uuid4().hex
        with _naming(request_id):
            await check_aside(request)
            await prompt_aside(request.prompt)
            case = self._case(request_id, request, context)
            reply = await self._answer(case, attest=request.attest)
        self._shadow(context, case, reply)
        return reply

    async def AskStream(
        self, request: ensemble_pb2.AskStreamRequest, context: Context
    ) -> AsyncIterator[ensemble_pb2.AskStreamResponse]:
        request_id = request.ask.request_id or uuid.uuid4().hex
        with _naming(request_id):
            await check_aside(request)
            await prompt_aside(request.ask.prompt)
            case = self._case(request_id, request.ask, context)

        ask = partial(self._answer, case, attest=request.ask.attest)
        async with aclosing(follow(ask)) as events:
            async for event in events:
                if event.HasField("final"):
                    self._shadow(context, case, event.final)
                yield event

    def _shadow(self, context: Context, case: Case, reply: ensemble_pb2.AskResponse) -> None:
        """Once the caller has the reply, a cheaper tier may be asked, too."""
        if self._shadows is not None:
            self._shadows.after(context, case, reply, slots=self._slots.values())

    async def _answer(
        self, case: Case, watch: Watch | None = None, *, attest: bool
    ) -> ensemble_pb2.AskResponse:
        with _naming(case.request_id):
            reply = await self._told(case, watch)
            if attest:
                await flow.attest(case, reply, ledger=self._ledger)
        fit(reply)
        return reply

    async def _told(self, case: Case, watch: Watch | None) -> ensemble_pb2.AskResponse:
        """The flow's reply, or that of a first call which still runs, as soon as it is there."""
        work, request_id = partial(self._asked, case, watch), case.request_id
        if not self._underway.runs(case.asked, request_id):
            return await self._underway.first(case.asked, request_id, work)
        first = await self._underway.ended(request_id, deadline=case.deadline)
        if first is None:
            raise RequestInProgressError(f"the first call with request_id {request_id} still runs")
        return await self._asked(case, watch) if self._ledger.records else told_again(first)

    async def _asked(self, case: Case, watch: Watch | None) -> ensemble_pb2.AskResponse:
        """What is recorded needs neither a slot nor a budget."""
        recorded = await flow.recorded(case, ledger=self._ledger)
        if recorded is not None:
            return recorded
        with self._slots[case.name].slot(current_caller()):
            reply = await flow.ask(
                case, mesh=self._mesh, ledger=self._ledger, accounts=self._accounts, watch=watch
            )
        if not reply.replayed:
            self._experience.note(reply.manifest)
        return reply

    def _case(self, request_id: str, request: ensemble_pb2.AskRequest, context: Context) -> Case:
        name = request.ensemble or self._config.default
        ensemble = self._ensemble(name)
        default_s = ensemble.default_timeout_s
        deadline = deadline_from(context, default_s=default_s)
        return Case(
            request_id=request_id,
            asked=_body(request),
            name=name,
            ensemble=ensemble,
            models=self._config.models,
            config_sha256=self._sha256,
            allowed_s=context.time_remaining() or default_s or deadline.left_s,
            deadline=deadline,
            ensembles=self._config.ensembles,
            shelves=self._shelves,
            stages=self._stages,
            live=self.live,
            caller=current_caller(),
            calibration=self._calibration,
            health=self._health.models,
            experience=self._experience.of(name),
            price_of_money=price_of_money(
                ensemble, self._accounts, caller=current_caller(), now=datetime.now(UTC)
            ),
        )

    def _active(self) -> list[metrics.Reading]:
        return [(slots.taken, {names.ENSEMBLE: name}) for name, slots in self._slots.items()]

    def _ensemble(self, name: str) -> Ensemble:
        known = self._config.ensembles
        if name not in known:
            raise UnknownEnsembleError.named(name, known)
        return known[name]

    async def GetManifest(
        self, request: ensemble_pb2.GetManifestRequest, context: Context
    ) -> ensemble_pb2.GetManifestResponse:
        del context
        await check_aside(request)
        manifest = await self._ledger.manifest(request.request_id)
        response = ensemble_pb2.GetManifestResponse(manifest=manifest)
        attestation = await self._ledger.attestation(request.request_id) if request.attest else None
        if attestation is not None:
            response.attestation.CopyFrom(attestation)
        fit(response)
        return response

    async def ListManifests(
        self, request: ensemble_pb2.ListManifestsRequest, context: Context
    ) -> ensemble_pb2.ListManifestsResponse:
        del context
        await check_aside(request)
        return await self._ledger.manifests(request)

    async def SubmitFeedback(
        self, request: ensemble_pb2.SubmitFeedbackRequest, context: Context
    ) -> ensemble_pb2.SubmitFeedbackResponse:
        del context
        await check_aside(request)
        manifest = await self._ledger.manifest(request.request_id)
        said = understood(request.feedback, manifest)
        feedback = await self._ledger.add_feedback(request.request_id, said)
        measure_feedback(manifest.ensemble, feedback)
        return ensemble_pb2.SubmitFeedbackResponse(feedback=feedback)

    async def ListEnsembles(
        self, request: ensemble_pb2.ListEnsemblesRequest, context: Context
    ) -> ensemble_pb2.ListEnsemblesResponse:
        del context
        await check_aside(request)
        listed = catalog.to_wire(self._config, sha256=self._sha256)
        listed.stages.extend(self._stages.records())
        now = datetime.now(UTC)
        states = self._accounts.states(now)
        states += self._shadows.states(now) if self._shadows is not None else []
        listed.budgets.extend(catalog.budget_to_wire(account) for account in states)
        listed.drifts.extend(self._experience.noticed)
        listed.homogeneous_pairs.extend(self._likeness.pairs)
        return listed


def _body(request: ensemble_pb2.AskRequest) -> ensemble_pb2.AskRequest:
    """What is asked; whether its record is wanted, too, is no part of it."""
    if not request.attest:
        return request
    body = ensemble_pb2.AskRequest()
    body.CopyFrom(request)
    body.ClearField("attest")
    return body


@contextmanager
def _naming(request_id: str) -> Iterator[None]:
    """Let every error say which request it ended."""
    try:
        yield
    except GremiumError as err:
        err.metadata["request_id"] = request_id[:128]
        raise
    except Exception as err:
        logger.exception("unexpected error in request %s", request_id)
        raise InternalError("internal error", request_id=request_id) from err
