"""The page of routing and spend: what was spent when, and whether requests went to the right tier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.config.tree import Config
from services.gateway.console.courses import Course, course
from services.gateway.console.desk import desk_of
from services.gateway.console.periods import PERIODS, Period, period_of
from services.gateway.console.reading import Limit, Reading, Total, reading
from services.gateway.console.statistics import Kept, requests, shadows
from services.report.routing import Routing, routing_of
from services.report.rows import TIERED

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
    return {
        "spend": spend_of(ledger, period, datetime.now(UTC)),
        "efficiency": efficiency(kept, config, period, ledger),
    }


@dataclass(frozen=True, slots=True)
class Efficiency:
    """How well one ensemble chose between its tiers."""

    routing: Routing
    course: Course


def efficiency(
    kept: Kept, config: Config, period: Period, ledger: Reading
) -> Mapping[str, Efficiency]:
    """That of each ensemble which chooses between tiers and was asked."""
    return kept.get(("routing", period.key), lambda: _efficiencies(config, period, ledger))


def _efficiencies(config: Config, period: Period, ledger: Reading) -> dict[str, Efficiency]:
    found: dict[str, Efficiency] = {}
    now = datetime.now(UTC)
    for name, ensemble in sorted(config.ensembles.items()):
        if ensemble.pattern in TIERED:
            ledger.limit.check()
            told = _efficiency(name, period, now, ledger)
            found |= {name: told} if told else {}
    return found


def _efficiency(name: str, period: Period, now: datetime, ledger: Reading) -> Efficiency | None:
    since = period.since(now)
    rows = requests(ledger, ensemble=name, since=since)
    asides = shadows(ledger, rows, ensemble=name, since=since)
    routing = routing_of(rows, asides)
    if routing is None:
        return None
    span = {"since_s": int(since.timestamp()), "until_s": int(now.timestamp())}
    return Efficiency(routing, course(rows, asides, every_s=period.every_s, **span))


async def spend(request: Request) -> Response:
    """`GET /routing/spend.json`: columns for a chart."""
    desk, period = desk_of(request), period_of(request.query_params.get("period"))

    def read(limit: Limit) -> Spend:
        with reading(desk.ledger_path, limit) as ledger:
            return spend_of(ledger, period, datetime.now(UTC))

    found = await desk.threads.work(read)
    return _columns(
        found.begins_s, found.every_s, dict(zip(found.names, found.usd, strict=True)), unit="$"
    )


async def tiers(request: Request) -> Response:
    """`GET /routing/tiers.json`: columns for a chart."""
    desk, query = desk_of(request), request.query_params
    period, config = period_of(query.get("period")), desk.loaded.config

    def read(limit: Limit) -> Mapping[str, Efficiency]:
        with reading(desk.ledger_path, limit) as ledger:
            return efficiency(request.app.state.kept, config, period, ledger)

    found = (await desk.threads.work(read)).get(query.get("ensemble", ""))
    if found is None:
        raise HTTPException(404)
    told = found.course
    return _columns(told.begins_s, told.every_s, dict(zip(told.tiers, told.counts, strict=True)))


def _columns(
    begins_s: Sequence[int],
    every_s: int,
    columns: Mapping[str, Sequence[float]],
    *,
    unit: str = "",
) -> Response:
    return JSONResponse(
        {
            "begins_s": begins_s,
            "every_s": every_s,
            "names": list(columns),
            "columns": list(columns.values()),
            "unit": unit,
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
