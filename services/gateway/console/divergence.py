"""The page of divergence: how often, and how far, jurors who vote together disagree."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.desk import desk_of
from services.gateway.console.periods import PERIODS, Period, period_of
from services.gateway.console.reading import Reading
from services.gateway.console.statistics import Kept, requests
from services.report.ballots import ballots_of
from services.report.figures import Figure
from services.report.rows import Vote
from services.report.summary import JURORS, PairFigures, PoolFigures, pool_figures

Measure = Literal["disagreement", "kappa", "errors"]

MEASURES: Final[Mapping[str, Measure]] = {
    "disagreement": "disagreement",
    "kappa": "kappa",
    "errors": "errors",
}
HEATS: Final = 6
"""Shades of a cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair of jurors."""

    figure: Figure
    heat: int
    """In [0, 6]; 0: nothing is told."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Jurors of one tier, pair by pair."""

    pool: PoolFigures
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    """By juror; None on the diagonal."""


async def divergence(request: Request) -> Response:
    """`GET /divergence`."""
    desk, query = desk_of(request), request.query_params
    names = list(desk.loaded.config.ensembles)
    asked = query.get("ensemble", desk.loaded.config.default)
    ensemble = asked if asked in names else names[0]
    period, kept = period_of(query.get("period")), request.app.state.kept
    measure = MEASURES.get(query.get("measure", ""), "disagreement")
    return await desk.page(
        "divergence.html",
        partial(_told, kept, ensemble, period, measure),
        ensembles=sorted(names),
        ensemble=ensemble,
        periods=list(PERIODS.values()),
        period=period,
        measures=list(MEASURES),
        measure=measure,
    )


def _told(
    kept: Kept, ensemble: str, period: Period, measure: Measure, ledger: Reading
) -> Mapping[str, object]:
    found = kept.get(("divergence", ensemble, period.key), lambda: pools(ledger, ensemble, period))
    return {"matrices": [matrix(pool, measure) for pool in found]}


def pools(ledger: Reading, ensemble: str, period: Period) -> list[PoolFigures]:
    """Figures of every tier whose jurors voted together."""
    by_tier: dict[str, list[Vote]] = {}
    for row in requests(ledger, ensemble=ensemble, since=period.since(datetime.now(UTC))):
        for vote in row.votes:
            by_tier.setdefault(vote.tier, []).append(vote)
    found = []
    for tier, votes in sorted(by_tier.items()):
        ledger.limit.check()
        ballots = ballots_of(votes)
        if len(ballots.jurors) >= JURORS:
            found.append(pool_figures(ballots, ensemble=ensemble, tier=tier))
    return found


def matrix(pool: PoolFigures, measure: Measure) -> Matrix:
    """The pairs of a pool as a square."""
    by_pair = {frozenset((each.first, each.second)): each for each in pool.pairs}
    return Matrix(
        pool,
        tuple(
            (
                one,
                tuple(
                    _cell(by_pair.get(frozenset((one, other))), measure) for other in pool.jurors
                ),
            )
            for one in pool.jurors
        ),
    )


def _cell(pair: PairFigures | None, measure: Measure) -> Cell | None:
    if pair is None:
        return None
    figure = _figure(pair, measure)
    return Cell(figure, heat(figure.value))


def _figure(pair: PairFigures, measure: Measure) -> Figure:
    match measure:
        case "disagreement":
            return pair.disagreement
        case "kappa":
            return pair.kappa
        case "errors":
            return pair.errors.correlation


def heat(value: float | None) -> int:
    """Shade of a cell: the darker, the larger the number.

    Examples
    --------
    >>> heat(-0.2), heat(0.0), heat(0.5), heat(1.0), heat(None)
    (1, 1, 4, 6, 0)
    """
    return 0 if value is None else 1 + min(HEATS - 1, int(max(0.0, value) * HEATS))
