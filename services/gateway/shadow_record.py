"""What the ledger keeps of asking a cheaper tier, too. No I/O."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from gremium.v1 import ensemble_pb2, manifest_pb2, shadow_pb2
from services.gateway.case import Case
from services.gateway.closing import spent_usd
from services.gateway.shadow_comparison import Finding
from services.gateway.shadow_draw import Draw
from services.runtime.wire import duration_to_wire, timestamp_to_wire

WROTE: Final = frozenset({manifest_pb2.STAGE_JURY, manifest_pb2.STAGE_SYNTHESIS})
"""Stages that make a tier's answer; who audits or compares it is left out."""
Parts = Sequence[manifest_pb2.Participation]


def begun(
    case: Case, reply: ensemble_pb2.AskResponse, draw: Draw, *, reserved_usd: float
) -> shadow_pb2.ShadowRecord:
    """What is recorded before anybody is asked: should the gateway die, that much counts as spent."""
    manifest = reply.manifest
    used = _writers(manifest.participations, manifest.chosen_tier)
    return shadow_pb2.ShadowRecord(
        request_id=case.request_id,
        ensemble=case.name,
        tier_used=manifest.chosen_tier,
        tier_shadow=draw.tier.name,
        propensity=draw.propensity,
        used_cost_usd=spent_usd(used),
        used_time=duration_to_wire(_took_s(used)),
        start_time=timestamp_to_wire(datetime.now(UTC)),
        config_sha256=case.config_sha256,
        reserved_usd=reserved_usd,
        domain=manifest.route.learned_domain or manifest.route.domain,
    )


def ended(
    begun: shadow_pb2.ShadowRecord, participations: Parts, finding: Finding
) -> shadow_pb2.ShadowRecord:
    """What is recorded at the end: codes and numbers, no words of models or providers."""
    wrote = _writers(participations, begun.tier_shadow)
    record = shadow_pb2.ShadowRecord()
    record.CopyFrom(begun)
    record.MergeFrom(
        shadow_pb2.ShadowRecord(
            verdict=finding.verdict,
            method=finding.method,
            reason=finding.reason,
            reason_text=finding.reason_text,
            shadow_cost_usd=spent_usd(wrote),
            comparison_cost_usd=max(0.0, spent_usd(participations) - spent_usd(wrote)),
            shadow_time=duration_to_wire(_took_s(wrote)),
            participations=participations,
            score=finding.score,
        )
    )
    for part in record.participations:
        part.ClearField("reason_text")
    return record


def _writers(participations: Iterable[manifest_pb2.Participation], tier: str) -> Parts:
    return [part for part in participations if part.tier == tier and part.stage in WROTE]


def _took_s(parts: Parts) -> float:
    """From the first call to the end of the last one."""
    asked = [part for part in parts if part.HasField("start_time")]
    starts = [part.start_time.ToNanoseconds() for part in asked]
    ends = [part.start_time.ToNanoseconds() + part.duration.ToNanoseconds() for part in asked]
    return (max(ends) - min(starts)) / 1e9 if asked else 0.0
