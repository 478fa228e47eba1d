"""Figures of a request that has ended, as its manifest tells."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Final

from opentelemetry.util.types import AttributeValue

from gremium.v1 import manifest_pb2, shadow_pb2
from services.core.errors import GremiumError
from services.gateway.case import Case
from services.gateway.closing import spent_usd
from services.gateway.record import Record
from services.gateway.stage_log import stage_name
from services.runtime import figures, metrics, names
from services.runtime.spans import current_part
from services.runtime.wire import duration_from_wire

Ending = tuple[str, str]
"""The outcome, and the reason of an error; empty without one."""
NO_WORSE: Final = frozenset({shadow_pb2.SHADOW_VERDICT_EQUAL, shadow_pb2.SHADOW_VERDICT_BETTER})
IN_PROGRESS: Final = manifest_pb2.MANIFEST_STATE_IN_PROGRESS


@contextmanager
def measured(case: Case, record: Record) -> Iterator[None]:
    """Note how the request ended that the block answers; a reply that was recorded before is none."""
    error: BaseException | None = None
    began_s = time.monotonic()
    try:
        yield
    except BaseException as err:
        error = err
        raise
    finally:
        if error is not None or record.manifest.state != IN_PROGRESS:
            ending = _ending(record.manifest, error)
            _trace(case, ending, cost_usd=record.spent_usd)
            if metrics.is_on():
                _measure(case, record.manifest, ending, took_s=time.monotonic() - began_s)


def measure_shadow(record: shadow_pb2.ShadowRecord) -> None:
    """Note what a cheaper tier came to that was asked, too."""
    verdict = shadow_pb2.ShadowVerdict.Name(record.verdict).removeprefix("SHADOW_VERDICT_")
    tiers = record.tier_used, record.tier_shadow
    metrics.add(figures.SHADOWS, 1, record.ensemble, *tiers, verdict)
    cost_usd = record.shadow_cost_usd + record.comparison_cost_usd
    metrics.add(figures.SHADOW_COST, cost_usd, record.ensemble)
    if record.verdict in NO_WORSE:
        saved_usd = max(0.0, record.used_cost_usd - record.shadow_cost_usd)
        metrics.add(figures.SHADOW_SAVED, saved_usd, record.ensemble)


def measure_feedback(ensemble: str, feedback: manifest_pb2.Feedback) -> None:
    """Note what somebody thinks of an answer."""
    kind = manifest_pb2.FeedbackKind.Name(feedback.kind).removeprefix("FEEDBACK_KIND_")
    metrics.observe(figures.FEEDBACK, feedback.score, ensemble, kind if feedback.kind else "")


def _trace(case: Case, ending: Ending, *, cost_usd: float) -> None:
    """Say on the request's own span what came of it."""
    outcome, reason = ending
    told: dict[str, AttributeValue] = {
        names.REQUEST_ID: case.request_id,
        names.ENSEMBLE: case.name,
        names.PATTERN: case.ensemble.pattern,
        names.OUTCOME: outcome,
        names.COST_USD: cost_usd,
    }
    if reason:
        told[names.REASON] = reason
    current_part().tell(told)


def _measure(case: Case, manifest: manifest_pb2.Manifest, ending: Ending, *, took_s: float) -> None:
    ensemble, pattern = case.name, case.ensemble.pattern
    metrics.observe(figures.REQUEST_DURATION, took_s, ensemble, pattern, *ending)
    metrics.add(figures.REQUEST_COST, spent_usd(manifest.participations), ensemble)
    metrics.add(figures.DEGRADED, manifest.degraded, ensemble)
    metrics.add(figures.UNJUDGED, manifest.unjudged, ensemble)
    metrics.observe(figures.DEADLINE_LEFT, case.deadline.left_s, ensemble)
    metrics.observe(
        figures.DEADLINE_LEFT_SHARE, min(1.0, case.deadline.left_s / case.allowed_s), ensemble
    )
    _measure_parts(manifest, ensemble)
    _measure_tallies(manifest, ensemble)
    for verdict in manifest.verdicts:
        kind = manifest_pb2.VerdictKind.Name(verdict.kind).removeprefix("VERDICT_KIND_")
        metrics.add(figures.VERDICTS, 1, ensemble, verdict.judge, kind, verdict.unjudged_reason)


def _ending(manifest: manifest_pb2.Manifest, error: BaseException | None) -> Ending:
    match error:
        case None:
            return manifest_pb2.Outcome.Name(manifest.outcome).removeprefix("OUTCOME_"), ""
        case GremiumError():
            return "FAILED", error.reason
        case asyncio.CancelledError():
            return "CANCELLED", ""
        case _:
            return "FAILED", "INTERNAL"


def _measure_parts(manifest: manifest_pb2.Manifest, ensemble: str) -> None:
    for part in manifest.participations:
        status = manifest_pb2.ParticipationStatus.Name(part.status)
        metrics.add(
            figures.PARTICIPATIONS,
            1,
            ensemble,
            stage_name(part.stage),
            part.model,
            status.removeprefix("PARTICIPATION_STATUS_"),
            part.reason,
        )
    for stop in manifest.jury_stops:
        metrics.add(figures.JURY_STOPS, 1, ensemble, stop.reason)
        metrics.add(figures.SAVED_CALLS, stop.saved_calls, ensemble)
        metrics.add(figures.SAVED_USD, stop.saved_usd, ensemble)
        metrics.add(figures.SAVED_TIME, duration_from_wire(stop.saved_time), ensemble)
    for each in manifest.escalations:
        metrics.add(figures.ESCALATIONS, 1, ensemble, each.from_tier, each.to_tier)


def _measure_tallies(manifest: manifest_pb2.Manifest, ensemble: str) -> None:
    for tally in manifest.tallies:
        consensus = str(tally.consensus).lower()
        metrics.add(figures.TALLIES, 1, ensemble, tally.method, consensus)
        votes = [ballot for ballot in tally.ballots if ballot.key]
        if len(votes) > 1:
            metrics.observe(figures.TALLY_DIVERGENCE, tally.divergence, ensemble)
        for pair in combinations(sorted(votes, key=lambda vote: vote.juror), 2):
            jurors = [vote.juror for vote in pair]
            metrics.add(figures.PAIRS, 1, ensemble, *jurors)
            metrics.add(figures.PAIRS_DISAGREED, pair[0].key != pair[1].key, ensemble, *jurors)
        for standing in tally.standings:
            consistent = str(not standing.position_inconsistent).lower()
            metrics.add(figures.STANDINGS, 1, ensemble, consistent)
