"""The page of routing and spend: what was spent when, and whether requests went to the right tier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.config.tree import Config
from services.gateway.console.desk import desk_of
from services.gateway.console.periods import PERIODS, Period, period_of
from services.gateway.console.reading import Limit, Reading, Total, reading
from services.gateway.console.statistics import Kept, requests, shadows
from services.report.routing import Routing, routing_of

SERIES: Final = 7
"""Ensembles that have a line of their own in the chart; the others are added up."""
OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Spend:
    """What was spent, stretch by stretch."""

    every_s: int
    begins_s: tuple[int, ...]
    """Every stretch, also where nothing was spent."""
    names: tuple[str, ...]
    """Ensembles, the dearest first."""
    usd: tuple[tuple[float, ...], ...]
    """By ensemble, then by stretch."""
    requests: tuple[int, ...]
    """By stretch."""
    totals: tuple[tuple[str, int, int, float], ...]
    """Ensemble, requests, failures, US dollars; the dearest first."""

    @property
    def rows(self) -> list[tuple[datetime, int, float, list[float]]]:
        """Stretches in which something was asked, latest first: begin, requests, sum, by ensemble."""
        stretches = zip(self.begins_s, self.requests, zip(*self.usd, strict=True), strict=True)
        return [
            (datetime.fromtimestamp(begin, UTC), n, sum(usd), list(usd))
            for begin, n, usd in stretches
            if n
        ][::-1]


async def routing(request: Request) -> Response:
    """`GET /routing`."""
    desk = desk_of(request)
    period = period_of(request.query_params.get("period"))
    known = await desk.ensembles()
    return await desk.page(
        "routing.html",
        partial(_told, request.app.state.kept, desk.loaded.config, period),
        periods=list(PERIODS.values()),
        period=period,
        budgets=list(known.budgets),
    )


def _told(kept: Kept, config: Config, period: Period, ledger: Reading) -> Mapping[str, object]:
    now = datetime.now(UTC)
    efficiency = kept.get(
        ("routing", period.key), lambda: routings(ledger, config, period.since(now))
    )
    return {"spend": spend_of(ledger, period, now), "efficiency": efficiency}


def routings(ledger: Reading, config: Config, since: datetime) -> dict[str, Routing]:
    """Figures of each ensemble that chooses between tiers and was asked."""
    found = {}
    for name, ensemble in sorted(config.ensembles.items()):
        if ensemble.pattern not in {"route", "cascade"}:
            continue
        ledger.limit.check()
        rows = requests(ledger, ensemble=name, since=since)
        told = routing_of(rows, shadows(ledger, rows, ensemble=name, since=since))
        if told is not None:
            found[name] = told
    return found


async def spend(request: Request) -> Response:
    """`GET /routing/spend.json`: columns for the chart."""
    desk, period = desk_of(request), period_of(request.query_params.get("period"))

    def read(limit: Limit) -> Spend:
        with reading(desk.ledger_path, limit) as ledger:
            return spend_of(ledger, period, datetime.now(UTC))

    found = await desk.threads.work(read)
    return JSONResponse(
        {
            "begins_s": found.begins_s,
            "every_s": found.every_s,
            "names": found.names,
            "usd": found.usd,
        }
    )


def spend_of(ledger: Reading, period: Period, now: datetime) -> Spend:
    since = period.since(now)
    return spread(
        ledger.totals(since=since, every_s=period.every_s),
        since_s=int(since.timestamp()),
        until_s=int(now.timestamp()),
        every_s=period.every_s,
    )


def spread(totals: Sequence[Total], *, since_s: int, until_s: int, every_s: int) -> Spend:
    """Add up by ensemble and stretch; what is beyond SERIES goes together."""
    begins = tuple(range(since_s // every_s * every_s, until_s + 1, every_s))
    by_name = _by_name(totals)
    ranked = sorted(by_name, key=lambda name: (-sum(t.cost_usd for t in by_name[name]), name))
    shown, rest = ranked[:SERIES], ranked[SERIES:]
    columns = {name: _column(by_name[name], begins) for name in shown}
    if rest:
        columns[OTHERS] = _column([total for name in rest for total in by_name[name]], begins)
    return Spend(
        every_s=every_s,
        begins_s=begins,
        names=tuple(columns),
        usd=tuple(columns.values()),
        requests=tuple(sum(t.requests for t in totals if t.begins_s == at) for at in begins),
        totals=tuple(_total(name, by_name[name]) for name in ranked),
    )


def _by_name(totals: Sequence[Total]) -> dict[str, list[Total]]:
    found: dict[str, list[Total]] = {}
    for total in totals:
        found.setdefault(total.ensemble, []).append(total)
    return found


def _column(totals: Sequence[Total], begins: Sequence[int]) -> tuple[float, ...]:
    usd: dict[int, float] = {}
    for total in totals:
        usd[total.begins_s] = usd.get(total.begins_s, 0.0) + total.cost_usd
    return tuple(usd.get(at, 0.0) for at in begins)


def _total(name: str, totals: Sequence[Total]) -> tuple[str, int, int, float]:
    asked, failed = sum(t.requests for t in totals), sum(t.failed for t in totals)
    return name, asked, failed, sum(t.cost_usd for t in totals)
