"""What happened to one request so far, and the manifest it becomes."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gremium.v1 import (
    aggregator_pb2,
    ensemble_pb2,
    judge_pb2,
    jury_pb2,
    manifest_pb2,
    router_pb2,
    types_pb2,
)
from services.core.answers import Usage
from services.core.lease import Lease
from services.gateway import budget
from services.gateway.case import Case
from services.gateway.failures import error_record
from services.runtime.telemetry import current_span_id, current_trace_id
from services.runtime.wire import (
    duration_to_wire,
    lease_from_wire,
    timestamp_to_wire,
    usage_from_wire,
    usage_to_wire,
)

SPENDS: Final = frozenset({manifest_pb2.STAGE_JURY, manifest_pb2.STAGE_JUDGE})
"""Stages that ask models. Each model is a participation of its own."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a tier, and with the last one the request, ended without an error."""

    outcome: manifest_pb2.Outcome.ValueType
    answer: types_pb2.Answer | None = None
    """What the caller gets; None: nothing."""
    unjudged: bool = False
    degraded: bool = False


class Record:
    """Collects who took part in one request, and what is left of its budget."""

    def __init__(self, case: Case) -> None:
        self.lease: Lease = budget.whole(case.asked.budget)
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
        )

    def intent(self) -> manifest_pb2.Manifest:
        """The manifest before anybody was asked."""
        return self._manifest

    @contextmanager
    def stage(
        self, stage: manifest_pb2.Stage.ValueType, *, tier: str = ""
    ) -> Iterator[manifest_pb2.Participation]:
        """Time one call to a stage; its failure is a participation, whatever comes of it."""
        part = manifest_pb2.Participation(
            stage=stage,
            tier=tier,
            status=manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
            start_time=timestamp_to_wire(datetime.now(UTC)),
            span_id=current_span_id(),
        )
        began_s = time.monotonic()
        try:
            yield part
        except BaseException as err:
            self._failed_stage(part, err)
            raise
        finally:
            part.duration.CopyFrom(duration_to_wire(time.monotonic() - began_s))
            failed = part.status != manifest_pb2.PARTICIPATION_STATUS_ANSWERED
            if failed or stage not in SPENDS:
                self._manifest.participations.append(part)

    def _failed_stage(self, part: manifest_pb2.Participation, error: BaseException) -> None:
        recorded = error_record(error)
        cancelled = isinstance(error, asyncio.CancelledError)
        part.status = (
            manifest_pb2.PARTICIPATION_STATUS_CANCELLED
            if cancelled
            else manifest_pb2.PARTICIPATION_STATUS_FAILED
        )
        part.reason, part.reason_text = recorded.reason, recorded.message
        if part.stage in SPENDS:
            self.lease = budget.lost(self.lease, error)

    def routed(self, decision: router_pb2.RouteDecision) -> None:
        self._manifest.route.CopyFrom(decision)

    def deliberated(self, response: jury_pb2.DeliberateResponse) -> None:
        self._manifest.participations.extend(response.participations)
        self._manifest.answers.extend(response.answers)
        self.lease = budget.returned(self.lease, lease_from_wire(response.unspent))

    def aggregated(self, response: aggregator_pb2.AggregateResponse) -> None:
        self._manifest.tallies.append(response.tally)

    def verified(
        self, response: judge_pb2.VerifyResponse, part: manifest_pb2.Participation
    ) -> None:
        """A verdict that took no model is the stage's own part."""
        self._manifest.participations.extend(response.participations or [part])
        self._manifest.verdicts.append(response.verdict)
        self.lease = budget.returned(self.lease, lease_from_wire(response.unspent))

    def completed(self, ending: Ending) -> ensemble_pb2.AskResponse:
        """The reply, with the manifest of a request that ended well."""
        manifest = self._closed(manifest_pb2.MANIFEST_STATE_COMPLETED)
        manifest.outcome = ending.outcome
        manifest.degraded, manifest.unjudged = ending.degraded, ending.unjudged
        manifest.chosen_juror = ending.answer.juror if ending.answer else ""
        return ensemble_pb2.AskResponse(
            request_id=manifest.request_id,
            outcome=ending.outcome,
            answer=ending.answer,
            degraded=ending.degraded,
            unjudged=ending.unjudged,
            manifest=manifest,
        )

    def failed(self, error: BaseException) -> manifest_pb2.Manifest:
        """The manifest of a request that ended in an error, with all that was answered."""
        manifest = self._closed(manifest_pb2.MANIFEST_STATE_FAILED)
        manifest.error.CopyFrom(error_record(error))
        return manifest

    def _closed(self, state: manifest_pb2.ManifestState.ValueType) -> manifest_pb2.Manifest:
        manifest = self._manifest
        parts = manifest.participations
        used = sum((usage_from_wire(part.usage) for part in parts), Usage())
        manifest.state = state
        manifest.duration.CopyFrom(duration_to_wire(time.monotonic() - self._began_s))
        manifest.usage.CopyFrom(usage_to_wire(used))
        manifest.cost_usd = sum(part.cost_usd for part in parts)
        manifest.model_calls = sum(part.model_calls for part in parts)
        manifest.self_ensemble = is_self_ensemble(parts)
        return manifest


def is_self_ensemble(parts: Iterable[manifest_pb2.Participation]) -> bool:
    """Whether all jurors that answered are one model, and it was asked more than once."""
    jurors = [part for part in parts if part.stage == manifest_pb2.STAGE_JURY and part.model]
    asked = Counter(
        part.model for part in jurors if part.status != manifest_pb2.PARTICIPATION_STATUS_SKIPPED
    )
    answered = {
        part.model for part in jurors if part.status == manifest_pb2.PARTICIPATION_STATUS_ANSWERED
    }
    return len(answered) == 1 and asked[answered.pop()] > 1
