"""A report as plain data, for programs. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from services.report.advice import Advice
from services.report.figures import Figure
from services.report.sink import Member
from services.report.summary import EnsembleFigures, PairFigures, PoolFigures, Report


def report_dict(report: Report, advice: Sequence[Advice], *, diff: str) -> dict[str, Any]:
    """Everything, with a figure as `{"value", "low", "high", "n", "needed"}`, null where unknown."""
    return {
        "since_s": report.since_s,
        "first_s": report.first_s,
        "last_s": report.last_s,
        "requests": report.n,
        "usd": report.usd,
        "ensembles": [_ensemble(each) for each in report.ensembles],
        "advice": [
            {"code": each.code, "ensemble": each.ensemble, "text": each.text} for each in advice
        ],
        "diff": diff,
    }


def figure_dict(figure: Figure) -> dict[str, Any]:
    return asdict(figure)


def _ensemble(figures: EnsembleFigures) -> dict[str, Any]:
    plain = asdict(figures)
    plain["requests"] = plain.pop("n")
    plain["seconds"] = dict(zip(("p50", "p95"), figures.seconds, strict=True))
    plain["pools"] = [_pool(pool) for pool in figures.pools]
    return plain


def _pool(pool: PoolFigures) -> dict[str, Any]:
    plain = asdict(pool)
    plain["members"] = [_member(each) for each in pool.members]
    plain["pairs"] = [_pair(each) for each in pool.pairs]
    return plain


def _member(member: Member) -> dict[str, Any]:
    return {**asdict(member), "dead_weight": member.dead, "harmful": member.harmful}


def _pair(pair: PairFigures) -> dict[str, Any]:
    errors = asdict(pair.errors)
    return {**asdict(pair), "errors": {**errors, "together": pair.errors.together}}
