"""What happened to one request so far, and the manifest it becomes."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from gremium.v1 import (
    aggregator_pb2,
    ensemble_pb2,
    judge_pb2,
    jury_pb2,
    manifest_pb2,
    router_pb2,
    types_pb2,
)
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.core.lease import Lease
from services.gateway import budget
from services.gateway.case import Case
from services.gateway.closing import close, settle, spent_usd
from services.gateway.ending import Ending
from services.gateway.failures import LOST, error_record, stage_error
from services.gateway.losses import Seat, is_missing, is_unwritten, lost
from services.gateway.spending import Spending, TellSpent
from services.gateway.stage_log import stage_name
from services.gateway.stopping import jury_stop
from services.gateway.watch import JuryWatch, Watch, ended, of_jurors, of_step
from services.runtime.telemetry import current_trace_id, noting_call
from services.runtime.wire import duration_to_wire, lease_from_wire, timestamp_to_wire

SPENDS: Final = frozenset({manifest_pb2.STAGE_JURY, manifest_pb2.STAGE_JUDGE})
"""Stages that ask models. Each model is a participation of its own."""
RETRIEVAL: Final = manifest_pb2.STAGE_RETRIEVAL
Reply = aggregator_pb2.AggregateResponse | judge_pb2.VerifyResponse | judge_pb2.RankResponse


class Record:
    """Collects who took part in one request, and what is left of its budget.

    Whoever watches is told each step as it is recorded.
    """

    def __init__(
        self, case: Case, *, watch: Watch | None = None, tell_spent: TellSpent | None = None
    ) -> None:
        self.lease: Lease = budget.whole(case.asked.budget)
        self.degraded = False
        """Whether a stage was lost, or replaced by its fallback."""
        self._watch = watch
        self._case = case
        self._began_s = time.monotonic()
        self._manifest = manifest_pb2.Manifest(
            request_id=case.request_id,
            ensemble=case.name,
            pattern=case.ensemble.pattern,
            state=manifest_pb2.MANIFEST_STATE_IN_PROGRESS,
            start_time=timestamp_to_wire(datetime.now(UTC)),
            timeout=duration_to_wire(case.allowed_s),
            trace_id=current_trace_id(),
            config_sha256=case.config_sha256,
            labels=case.asked.labels,
            caller=case.caller,
            calibration_id=case.calibration_id,
            output_kind=case.output_kind,
        )
        self.spending = Spending(case, self._manifest, tell_spent)

    @property
    def manifest(self) -> manifest_pb2.Manifest:
        """What is known so far; before anybody was asked it is the intent."""
        return self._manifest

    @property
    def models_asked(self) -> bool:
        """Whether a call to a model was made so far."""
        return any(part.model_calls for part in self._manifest.participations)

    def reserved(self, usd: float) -> None:
        """Budgets over time hold that much for the request: more it may not spend."""
        own = self.lease.cost_usd
        self.lease = replace(self.lease, cost_usd=usd if own is None else min(own, usd))
        self._manifest.reserved_usd = usd

    @property
    def start(self) -> datetime:
        """When the request arrived."""
        return self._manifest.start_time.ToDatetime(UTC)

    @contextmanager
    def keeping(self, kept: Lease, *, of: Lease) -> Iterator[None]:
        """Let the block spend no more than `of`; afterwards what was kept is there again."""
        self.lease = of
        try:
            yield
        finally:
            self.lease = budget.joined(self.lease, kept)

    @property
    def spent_usd(self) -> float:
        """What all that took part so far may have cost, US dollars."""
        return spent_usd(self._manifest.participations)

    def jury_watch(self, tier: str) -> JuryWatch | None:
        """Whom a tier's jury tells how it fares."""
        return of_jurors(self._watch.tell, tier) if self._watch else None

    def watch_of(self, step: str) -> Watch | None:
        """Who is told what happens within a step."""
        return of_step(self._watch, step) if self._watch else None

    def began(self) -> None:
        """The ledger has the intent."""
        if self._watch is not None:
            self._watch.began = True

    @contextmanager
    def stage(
        self,
        stage: manifest_pb2.Stage.ValueType,
        *,
        deadline: Deadline,
        tier: str = "",
        seats: Sequence[Seat] = (),
    ) -> Iterator[manifest_pb2.Participation]:
        """Time one call to a stage; its failure is a participation, whatever comes of it.

        `seats` are the models that it is about to ask: when it is lost
        underway, each of them may have been paid.

        Raises
        ------
        GremiumError
            What the block raises, with the stage named.
        """
        part = manifest_pb2.Participation(
            stage=stage,
            tier=tier,
            status=manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
            start_time=timestamp_to_wire(datetime.now(UTC)),
        )
        given_s, began_s = deadline.left_s, time.monotonic()
        self._case.stages.called(stage)
        try:
            with (
                noting_call() as noted,
                self._case.live.within(self._case.request_id, part),
                self.spending.at_risk(part, seats, self.lease),
            ):
                yield part
        except BaseException as err:
            settle(part, noted, began_s)
            told = self._failed_stage(part, err, given_s, seats)
            if told is err:
                raise
            raise told from err
        settle(part, noted, began_s)
        if stage not in SPENDS:
            self._manifest.participations.append(part)

    def _failed_stage(
        self,
        part: manifest_pb2.Participation,
        error: BaseException,
        given_s: float,
        seats: Sequence[Seat],
    ) -> BaseException:
        """Record a stage's failure and what it may have spent; return what its caller is told."""
        told = error
        if isinstance(error, GremiumError):
            told = stage_error(
                error,
                stage=stage_name(part.stage),
                given_s=given_s,
                allowed_s=self._case.allowed_s,
                models_asked=self.models_asked,
            )
        if isinstance(told, LOST) and given_s > 0.0:
            self.degraded = True
            self._case.stages.failed(part.stage, error_record(error).reason)
        part.status = (
            manifest_pb2.PARTICIPATION_STATUS_CANCELLED
            if isinstance(error, asyncio.CancelledError)
            else manifest_pb2.PARTICIPATION_STATUS_FAILED
        )
        part.reason = error_record(error).reason
        part.reason_text = error_record(told).message
        parts = self._lost(part, error, given_s, seats) or [part]
        self._manifest.participations.extend(parts)
        for each in parts:
            self._tell_end(each, step=each.tier if part.stage == RETRIEVAL else "")
        return told

    def _lost(
        self,
        part: manifest_pb2.Participation,
        error: BaseException,
        given_s: float,
        seats: Sequence[Seat],
    ) -> list[manifest_pb2.Participation]:
        """Whom a stage may have asked before it was lost; nobody if it never began."""
        asks = part.stage in SPENDS or bool(seats)
        if not asks or given_s == 0.0 or not budget.may_have_spent(error):
            return []
        given, self.lease = self.lease, budget.returned(self.lease, Lease())
        parts = lost(part, seats, self._case, given)
        return parts if part.stage in SPENDS else [part, *parts]

    @property
    def late_judges(self) -> frozenset[str]:
        """Judge models that this request has waited for in vain."""
        return frozenset(
            part.model
            for part in self._manifest.participations
            if part.stage == manifest_pb2.STAGE_JUDGE
            and part.status == manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT
        )

    def routed(self, decision: router_pb2.RouteDecision) -> None:
        self._manifest.route.CopyFrom(decision)
        self._tell(routed=decision)

    def planned(self, plan: router_pb2.Plan) -> None:
        self._tell(planned=plan)

    def searched(
        self, part: manifest_pb2.Participation, passages: Sequence[types_pb2.Passage]
    ) -> None:
        self._manifest.passages.extend(passages)
        found = ensemble_pb2.Searched(participation=part, passages=passages)
        self._tell(searched=found, step=part.tier)

    def not_begun(self, part: manifest_pb2.Participation) -> None:
        """A juror or a search of a step was never asked."""
        self._manifest.participations.append(part)
        self._tell_end(part, step=part.tier)

    def deliberated(self, response: jury_pb2.DeliberateResponse, *, tier: str) -> None:
        for answer in response.answers:
            answer.tier = tier
        self._manifest.participations.extend(response.participations)
        self._manifest.answers.extend(response.answers)
        self._manifest.jury_stops.append(jury_stop(response, tier=tier))
        self.degraded |= response.quorum_met and any(map(is_missing, response.participations))
        self.lease = budget.returned(self.lease, lease_from_wire(response.unspent))

    def aggregated(self, response: aggregator_pb2.AggregateResponse, *, tier: str) -> None:
        response.tally.tier = tier
        if response.HasField("representative"):
            response.representative.tier = tier
        if response.tally.synthesised:
            self._manifest.answers.append(response.representative)
        self._manifest.tallies.append(response.tally)
        self._tell(tallied=response.tally, tier=tier)

    def synthesised(self, response: aggregator_pb2.AggregateResponse, *, tier: str) -> None:
        """Models were asked to write one answer out of several, or nobody was."""
        self._book(response, tier)
        self.degraded |= is_unwritten(response.participations)

    def verified(
        self, response: judge_pb2.VerifyResponse, part: manifest_pb2.Participation
    ) -> None:
        """A verdict that took no model is the stage's own part: by checks, or for want of a judge."""
        verdict = response.verdict
        if verdict.kind == manifest_pb2.VERDICT_KIND_UNJUDGED:
            part.status = manifest_pb2.PARTICIPATION_STATUS_SKIPPED
            part.reason, part.reason_text = verdict.unjudged_reason, verdict.reason_text
        verdict.tier = part.tier
        self._book(response, part.tier, nobody=[part])
        self.judged(verdict)

    def judged(self, verdict: manifest_pb2.Verdict) -> None:
        self._manifest.verdicts.append(verdict)
        self._tell(judged=verdict, tier=verdict.tier)

    def ranked(self, response: judge_pb2.RankResponse, part: manifest_pb2.Participation) -> None:
        """A ranking that took no model is the stage's own part."""
        if not response.participations:
            part.status = manifest_pb2.PARTICIPATION_STATUS_SKIPPED
            part.reason, part.reason_text = "NOTHING_COMPARED", "no two answers were compared"
        self._book(response, part.tier, nobody=[part])

    def _book(
        self, reply: Reply, tier: str, *, nobody: Sequence[manifest_pb2.Participation] = ()
    ) -> None:
        """Whom a stage asked, what stands for it when that was nobody, and what it left."""
        for asked in reply.participations:
            asked.tier = tier
        self._manifest.participations.extend(reply.participations or nobody)
        self.lease = budget.returned(self.lease, lease_from_wire(reply.unspent))

    def escalated(
        self, *, from_tier: str, to_tier: str, reason_text: str, confidence: float | None = None
    ) -> None:
        """A tier was not enough, and the next one is about to be asked."""
        self._manifest.escalations.add(
            from_tier=from_tier, to_tier=to_tier, reason_text=reason_text, confidence=confidence
        )
        self._tell(
            escalated=ensemble_pb2.Escalated(
                from_tier=from_tier, to_tier=to_tier, reason_text=reason_text
            ),
            tier=from_tier,
        )

    def _tell(self, **event: Any) -> None:
        """Tell whoever watches; a copy, so that what comes later does not change it."""
        if self._watch is not None:
            self._watch.tell(ensemble_pb2.AskStreamResponse(**event))

    def _tell_end(self, part: manifest_pb2.Participation, *, step: str) -> None:
        """Tell that a juror or a search ended without its stage, or was never begun."""
        if self._watch is not None and (event := ended(part, step=step)):
            self._watch.tell(event)

    def completed(self, ending: Ending) -> ensemble_pb2.AskResponse:
        """The reply, with the manifest of a request that ended well."""
        manifest = self._closed(manifest_pb2.MANIFEST_STATE_COMPLETED)
        manifest.outcome = ending.outcome
        manifest.degraded, manifest.unjudged = self.degraded or ending.degraded, ending.unjudged
        if ending.confidence is not None:
            manifest.confidence = ending.confidence
        chosen = ending.answer or types_pb2.Answer()
        manifest.chosen_juror = chosen.juror
        manifest.chosen_step, manifest.chosen_tier = chosen.step, chosen.tier
        return ensemble_pb2.AskResponse(
            request_id=manifest.request_id,
            outcome=ending.outcome,
            answer=ending.answer,
            degraded=manifest.degraded,
            unjudged=ending.unjudged,
            manifest=manifest,
        )

    def failed(self, error: BaseException) -> manifest_pb2.Manifest:
        """The manifest of a request that ended in an error, with all that was answered."""
        manifest = self._closed(manifest_pb2.MANIFEST_STATE_FAILED)
        manifest.degraded = self.degraded
        manifest.error.CopyFrom(error_record(error))
        return manifest

    def _closed(self, state: manifest_pb2.ManifestState.ValueType) -> manifest_pb2.Manifest:
        close(self._manifest, state, took_s=time.monotonic() - self._began_s)
        return self._manifest
