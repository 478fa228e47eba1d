"""Reads a ledger as rows of a report; touches the file, and keeps nothing but the rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gremium.v1 import shadow_pb2
from services.ledger.reported import Which, ended, shadows
from services.report.rows import Request, request_of, tokens_of
from services.report.shadows import Shadow

ENOUGH: Final = {
    shadow_pb2.SHADOW_VERDICT_EQUAL: True,
    shadow_pb2.SHADOW_VERDICT_BETTER: True,
    shadow_pb2.SHADOW_VERDICT_WORSE: False,
    shadow_pb2.SHADOW_VERDICT_DIFFERENT: False,
    shadow_pb2.SHADOW_VERDICT_FAILED: False,
}
"""Whether the cheaper tier would have done, by how its answer compares; of others it is not known."""


def recorded(path: Path, which: Which) -> tuple[list[Request], list[Shadow]]:
    """Requests that have ended, and what cheaper tiers would have answered to them.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger of this version.
    """
    requests = [request_of(manifest) for manifest in ended(path, which)]
    return requests, _of(requests, [shadow_of(record) for record in shadows(path, which)])


def _of(requests: Sequence[Request], asides: Sequence[Shadow]) -> list[Shadow]:
    known = {request.request_id for request in requests}
    return [shadow for shadow in asides if shadow.request_id in known]


def shadow_of(record: shadow_pb2.ShadowRecord) -> Shadow:
    """The row of a shadow record."""
    return Shadow(
        request_id=record.request_id,
        ensemble=record.ensemble,
        used=record.tier_used,
        cheaper=record.tier_shadow,
        propensity=record.propensity,
        enough=ENOUGH.get(record.verdict),
        method=record.method,
        used_usd=record.used_cost_usd,
        cheaper_usd=record.shadow_cost_usd,
        spent_usd=record.shadow_cost_usd + record.comparison_cost_usd,
        start_s=record.start_time.ToNanoseconds() / 1e9,
        tokens=tokens_of(record.participations).get(record.tier_shadow, 0),
    )
