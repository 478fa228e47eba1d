"""Votes of every pool of the published table: never worse than its best juror or plurality."""

import pathlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from bench.decisions import PoolFigure, Row, apart
from bench.decisions.counted import Counted, alone, counted, paired, percent
from bench.decisions.pools import Pool, pools
from bench.decisions.shortfall import area_shortfall, shortfall
from services.calibration.measures import auroc, ece, ece_of_the_perfect, equal_mass_bins

SLACK = 0.5
"""Points that a pool may be worse than the better of the two."""
REACH = {"CRUX all": 97.0, "CRUX cheap5": 76.0, "MMLU-Pro all": 74.0}
RELEVANCE = 76.0
AUROC = {"CRUX all": 0.955, "MMLU-Pro all": 0.766, "GSM8K all": 0.884}
"""As published for the same pool; reached within .02."""
ECE = 0.04


def rows(data: pathlib.Path) -> Iterator[Row]:
    """One pool after the other, relevance beside its pool; says how often the gate closed."""
    gates: list[bool] = []
    measured = [partial(_measured, read, gates) for read in pools(data)]
    yield from apart([*measured, partial(_gates, gates)])


def _measured(read: Callable[[], Pool], gates: list[bool]) -> Iterator[Row]:
    pool = read()
    found = counted(pool)
    gates.extend(found.closed)
    yield from _rows_of(pool, found)


def _gates(gates: Sequence[bool]) -> Iterator[Row]:
    if gates:
        yield Row(
            "gates closed, share of folds (always closed would be the best juror alone)",
            100 * sum(gates) / len(gates),
            None,
            100.0,
            not all(gates),
            f"{sum(gates)} of {len(gates)} folds",
        )


def _rows_of(pool: Pool, found: Counted) -> Iterator[Row]:
    yield _accuracy(pool, found)
    if pool.is_published and pool.name in REACH:
        reach, ours = REACH[pool.name], percent(found.right)
        note = "" if ours >= reach else shortfall(pool, found)
        yield Row(f"{pool.name}: target", ours, percent(found.plain), reach, ours >= reach, note)
    if 0 < pool.unfit.sum() < pool.unfit.size:
        yield _relevance(pool, found)
    if found.is_sure:
        yield from _calibration(pool, found)


def _accuracy(pool: Pool, found: Counted) -> Row:
    measured = max(percent(alone(pool.votes, pool.votes.best)), percent(found.plain))
    reach, ours = max(measured, pool.published or 0.0) - SLACK, percent(found.right)
    shown = _figure(pool, found)
    return Row(
        pool.name,
        ours,
        shown.best,
        reach,
        ours >= reach,
        f"plurality {shown.plain:.1f}, without gate {percent(found.open_right):.1f}, "
        f"oracle {shown.oracle:.1f}, gate closed in {shown.closed} of {shown.folds}{_of(pool, found)}",
        shown.gain,
        shown,
    )


def _figure(pool: Pool, found: Counted) -> PoolFigure:
    return PoolFigure(
        name=pool.name,
        prompts=len(pool.votes.keys),
        ours=percent(found.right),
        best=percent(found.best),
        plain=percent(found.plain),
        oracle=percent(pool.votes.right.any(axis=1)),
        gain=paired(found.right, found.best),
        closed=sum(found.closed),
        folds=len(found.closed),
        bins=tuple(
            (float(found.sure[each].mean()), float(found.right[each].mean()))
            for each in equal_mass_bins(found.sure)
        ),
    )


def _of(pool: Pool, found: Counted) -> str:
    """What the figures are of, where nothing was published of the pool."""
    if pool.is_published:
        return ""
    silent = 100 * (1 - pool.votes.heard.mean())
    told = f"; {len(pool.votes.keys):,} prompts, {len(pool.votes.jurors)} models"
    missing = f", {silent:.1f} % of the answers missing" if silent else ""
    few = "" if found.is_sure else "; too few labels to weigh jurors by more than their priors"
    return told + missing + few + (f"; {pool.left_out}" if pool.left_out else "")


def _relevance(pool: Pool, found: Counted) -> Row:
    unfit = pool.unfit
    ours, theirs, plain = (percent(each[unfit]) for each in (found.right, found.best, found.plain))
    known = pool.is_published and "cheap5" in pool.name
    reach = RELEVANCE if known else max(theirs, plain) - SLACK
    return Row(
        f"{pool.name}: relevance only",
        ours,
        plain,
        reach,
        ours >= reach,
        f"best juror {theirs:.1f}, where a tool fits {percent(found.right[~unfit]):.1f}; "
        "fitted on all kinds together",
        paired(found.right[unfit], found.best[unfit]),
    )


def _calibration(pool: Pool, found: Counted) -> Iterator[Row]:
    perfect = ece_of_the_perfect(found.sure, seed=0)
    error, most = ece(found.sure, found.right), max(ECE, perfect)
    yield Row(f"{pool.name}: ECE of P(correct)", error, None, most, error <= most)
    area = auroc(found.sure, found.right)
    if area is not None and pool.is_published and pool.name in AUROC:
        reach = AUROC[pool.name] - 0.02
        wrong = int((~found.right).sum())
        alike = auroc(found.sure, found.accepted) or 0.0
        note = (
            f"over {wrong} wrong answers, standard error {_spread(area, found):.3f}; {alike:.3f} "
            "where a class counts as right if the grader takes any of its wordings"
        )
        if area < reach:
            note = f"{note}; {area_shortfall(pool, found)}"
        yield Row(f"{pool.name}: AUROC of P(correct)", area, None, reach, area >= reach, note)


def _spread(area: float, found: Counted) -> float:
    """Standard error of an area by Hanley and McNeil (1982)."""
    right, wrong = float(found.right.sum()), float((~found.right).sum())
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (right - 1) * (first - area**2) + (wrong - 1) * (second - area**2)
    )
    return float(np.sqrt(variance / (right * wrong)))
