"""The page of requests: those that are answered now, and the latest that have ended."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.gateway.console.desk import desk_of
from services.gateway.console.reading import Reading, Total
from services.gateway.console.waterfall import stages_at_work
from services.gateway.console.wording import moment, span_s
from services.gateway.live import Live

SHOWN_LIVE: Final = 60
"""Requests that are answered now and shown; more are counted."""
ROWS: Final = 50
DAY_S: Final = 86_400
ENDINGS: Final[Mapping[str, Mapping[str, int]]] = {
    "answered": {"outcome": manifest_pb2.OUTCOME_ANSWERED},
    "no-consensus": {"outcome": manifest_pb2.OUTCOME_NO_CONSENSUS},
    "rejected": {"outcome": manifest_pb2.OUTCOME_REJECTED},
    "failed": {"state": manifest_pb2.MANIFEST_STATE_FAILED},
}
"""What requests can be filtered by, as addresses say it."""


@dataclass(frozen=True, slots=True)
class Running:
    """A request that is answered now."""

    manifest: manifest_pb2.Manifest
    at_work: str
    elapsed_s: float
    allowed_s: float

    @property
    def used(self) -> float:
        """Share of its time that is over, percent."""
        return min(100.0, 100.0 * self.elapsed_s / self.allowed_s) if self.allowed_s else 0.0


@dataclass(frozen=True, slots=True)
class Day:
    """What was done in the last 24 hours."""

    requests: int
    failed: int
    cost_usd: float


def running(live: Live, *, now_ns: int) -> list[Running]:
    """The latest requests that are answered now."""
    return [
        Running(
            each,
            stages_at_work(each.participations),
            max(0.0, (now_ns - each.start_time.ToNanoseconds()) / 1e9),
            span_s(each.timeout),
        )
        for each in live.latest(SHOWN_LIVE)
    ]


async def requests(request: Request) -> Response:
    """`GET /`."""
    desk, asked = desk_of(request), request.query_params
    return await desk.page(
        "requests.html",
        partial(_listed, asked),
        running=running(desk.live, now_ns=time.time_ns()),
        count=desk.live.count,
        ensembles=sorted(desk.loaded.config.ensembles),
        endings=list(ENDINGS),
        asked=asked,
        mode=desk.loaded.config.ledger.mode,
    )


def _listed(asked: QueryParams, ledger: Reading) -> Mapping[str, object]:
    page = ledger.page(wanted(asked))
    since = datetime.now(UTC) - timedelta(seconds=DAY_S)
    return {
        "recent": rows(page.manifests),
        "more": page.next_page_token,
        "day": day(ledger.totals(since=since, every_s=DAY_S)),
    }


def wanted(asked: QueryParams) -> ensemble_pb2.ListManifestsRequest:
    """Which manifests an address asks for; what it does not know it leaves out."""
    return ensemble_pb2.ListManifestsRequest(
        page_size=ROWS,
        page_token=asked.get("from", "")[:512],
        ensemble=asked.get("ensemble", "")[:128],
        **ENDINGS.get(asked.get("ending", ""), {}),  # type: ignore[arg-type] # enums are ints
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded request."""

    manifest: manifest_pb2.Manifest
    started: datetime
    took_s: float | None
    answered: int
    """Jurors who answered."""
    asked: int
    """Jurors who were asked."""


def rows(manifests: Sequence[manifest_pb2.Manifest]) -> list[Row]:
    """Those that have ended; the others are answered now."""
    in_progress = manifest_pb2.MANIFEST_STATE_IN_PROGRESS
    return [_row(each) for each in manifests if each.state != in_progress]


def _row(manifest: manifest_pb2.Manifest) -> Row:
    seats = [p for p in manifest.participations if p.stage == manifest_pb2.STAGE_JURY and p.name]
    skipped = manifest_pb2.PARTICIPATION_STATUS_SKIPPED
    return Row(
        manifest=manifest,
        started=moment(manifest.start_time),
        took_s=span_s(manifest.duration) if manifest.HasField("duration") else None,
        answered=sum(p.status == manifest_pb2.PARTICIPATION_STATUS_ANSWERED for p in seats),
        asked=sum(p.status != skipped for p in seats),
    )


def day(totals: Sequence[Total]) -> Day:
    return Day(
        requests=sum(each.requests for each in totals),
        failed=sum(each.failed for each in totals),
        cost_usd=sum(each.cost_usd for each in totals),
    )
