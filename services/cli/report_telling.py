"""A report in words and tables. No I/O."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rich.table import Table

from services.cli.report_tiers import domains, tiers
from services.cli.show import plain_table
from services.report.judging import Judging
from services.report.sink import Sink
from services.report.summary import EnsembleFigures, PairFigures, PoolFigures, Report
from services.report.wording import cell, counts, number, percent, points, sum_cell, usd

Told = str | Table

MOST_PAIRS: Final = 10
"""Pairs that are shown: all of five jurors."""
KINDS: Final = {
    "kitchen_sink": "kitchen sink",
    "warning": "take care",
    "sound": "sound",
    "insufficient": "too little known",
}


def told(report: Report) -> Iterator[Told]:
    """Everything, ensemble by ensemble; a figure is told with its 95 % interval."""
    yield _heading(report)
    for figures in report.ensembles:
        yield ""
        yield from _ensemble(figures)


def _heading(report: Report) -> str:
    if not report.n:
        return "no request has ended in this time"
    times = (datetime.fromtimestamp(at, UTC) for at in (report.first_s, report.last_s))
    days = " to ".join(each.strftime("%Y-%m-%d %H:%M") for each in times)
    return f"{report.n} requests, {days} UTC, ${report.usd:.4f}; 95 % intervals in brackets"


def _ensemble(figures: EnsembleFigures) -> Iterator[Told]:
    p50, p95 = figures.seconds
    yield f"{figures.name} ({figures.pattern}): {figures.n} requests, ${figures.usd:.4f}"
    yield f"  ended      {counts(figures.outcomes)}"
    yield f"  took       {p50:.2f} s in the median, {p95:.2f} s at most in 95 of 100"
    yield f"  cost       {usd(figures.usd_each)} a request"
    if figures.good.n:
        yield f"  good       {percent(figures.good)} of {figures.good.n} with feedback"
    yield f"  degraded   {percent(figures.degraded)}"
    yield f"  unjudged   {percent(figures.unjudged)}"
    for pool in figures.pools:
        yield ""
        yield from _pool(pool)
    if figures.routing is not None:
        yield ""
        yield from tiers(figures.routing, spent_usd=figures.usd)
    if figures.judging is not None:
        yield ""
        yield from _judging(figures.judging)
    if figures.domains:
        yield ""
        yield domains(figures.domains)


def _pool(pool: PoolFigures) -> Iterator[Told]:
    yield f"  {pool.name}: {len(pool.jurors)} jurors, {pool.n} votes; {_known(pool)}"
    yield f"    divided          {percent(pool.divided)} of the votes; no consensus {percent(pool.no_consensus)}"
    yield f"    divergence       {number(pool.divergence)} on average; alpha {number(pool.alpha)}"
    yield f"    effective votes  {number(pool.votes)} of {len(pool.jurors)}; errors correlate {number(pool.correlation)}"
    yield from _sink(pool.sink)
    yield f"    counted again    comes to what was given in {percent(pool.recount)}"
    yield _members(pool)
    yield f"    adds: right votes that are lost without this juror alone; worth: its part of {_worth(pool)}"
    yield "    (Shapley), so that two who say the same share theirs; both in points of all votes"
    yield _pairs(pool.pairs)


def _worth(pool: PoolFigures) -> str:
    if pool.worth_by == "truth":
        return "all that are right"
    return "all that come to what was given"


def _known(pool: PoolFigures) -> str:
    cut = pool.n - pool.prose - pool.whole
    notes = [
        f"truth is known of {pool.labelled}",
        f"in {cut} not all were heard" if cut > 0 else "",
        f"{pool.prose} are of prose, which has no ballots" if pool.prose else "",
        f"{', '.join(pool.gone)} left the jury, and is not counted" if pool.gone else "",
    ]
    return "; ".join(note for note in notes if note)


def _sink(sink: Sink) -> Iterator[str]:
    why = f": {'; '.join(sink.reasons)}" if sink.reasons else ""
    yield f"    kitchen sink?    {KINDS[sink.kind]}{why}"
    if sink.best:
        yield f"    best alone       {sink.best} comes to the same in {percent(sink.same)}"
        yield f"                     beside it the others cost {usd(sink.saved_usd)}"
    yield f"    gap              {points(sink.gap)} points from the mean juror to the best"
    if sink.curve:
        cost = f" for {sink.cost_share:.0%} of the cost" if sink.cost_share is not None else ""
        yield f"    enough           {', '.join(sink.enough)}{cost}"
        yield f"                     beside all {points(sink.gain)} points"
        yield f"    right by size    {' '.join(f'{100 * each:.1f}' for each in sink.curve)}"


def _members(pool: PoolFigures) -> Table:
    table = plain_table(
        "juror", "right %", "alone the same %", "turns %", "adds", "worth", "USD", ""
    )
    table.columns[0].overflow = "fold"
    for each in pool.members:
        table.add_row(
            each.name,
            cell(each.accuracy, 100),
            cell(each.same, 100),
            cell(each.turns, 100),
            cell(each.adds, 100),
            cell(each.worth, 100),
            sum_cell(each.usd),
            "harmful" if each.harmful else "dead weight" if each.dead else "",
        )
    return table


def _pairs(pairs: tuple[PairFigures, ...]) -> Table:
    """The pairs whose errors are most alike; for want of truth, those that differ least."""
    table = plain_table("pair", "differ %", "kappa", "errors", "same mistake %", "")
    table.columns[0].overflow = "fold"
    ranked = sorted(pairs, key=_alike)
    for each in ranked[:MOST_PAIRS]:
        table.add_row(
            f"{each.first}\n{each.second}",
            cell(each.disagreement, 100),
            cell(each.kappa),
            cell(each.errors.correlation),
            cell(each.errors.same_mistake, 100),
            "hardly two" if each.errors.together else "",
        )
    if len(ranked) > MOST_PAIRS:
        table.add_row(f"{len(ranked) - MOST_PAIRS} more in --json", "", "", "", "", "")
    return table


def _alike(pair: PairFigures) -> tuple[float, float]:
    errors, differ = pair.errors.correlation.value, pair.disagreement.value
    return (2.0 if errors is None else -errors, 2.0 if differ is None else differ)


def _judging(judging: Judging) -> Iterator[str]:
    """What there is nothing of is left out."""
    why = f" ({counts(judging.reasons)})" if judging.reasons else ""
    yield f"  judge: {judging.verdicts} verdicts"
    yield f"    unjudged         {percent(judging.unjudged)}{why}"
    if judging.failed.n:
        yield f"    failed           {percent(judging.failed)}"
    if judging.steady.n:
        yield f"    order swapped    {percent(judging.steady)} keep their place"
    if judging.kin.n:
        yield f"    own family       {percent(judging.kin)}"
    if judging.agrees.n:
        yield f"    feedback         agrees in {percent(judging.agrees)}, kappa {number(judging.kappa)}"
        yield f"    passed, wrong    {percent(judging.wrong_passes)}"
