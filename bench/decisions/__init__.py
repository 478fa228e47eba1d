"""Parts of bench/decisions.py: each measures one group and yields rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PoolFigure:
    """A pool as the plot shows it; accuracies in points."""

    name: str
    prompts: int
    ours: float
    best: float
    """The juror that was best on the training folds."""
    plain: float
    oracle: float
    gain: tuple[float, float]
    """90 % interval of (ours - best)."""
    closed: int
    """Folds in which the gate was closed."""
    folds: int
    bins: tuple[tuple[float, float], ...]
    """P(correct) as told and the share that was right, means of equal-mass bins."""


@dataclass(frozen=True)
class Row:
    """One measured figure beside what it has to reach."""

    measure: str
    ours: float
    baseline: float | None
    """What a plain rule gives; None where there is none."""
    reach: float
    holds: bool
    note: str = ""
    interval: tuple[float, float] | None = None
    """90 % interval of (ours - baseline)."""
    figure: PoolFigure | None = None
    """What the plot shows of it; None: nothing."""


class SkippedError(Exception):
    """A part cannot be measured, and why."""


def table(rows: Sequence[Row]) -> str:
    """Rows as Markdown."""
    lines = ["| measure | ours | baseline | reach | holds | interval | note |"]
    lines.append("|---|---:|---:|---:|---|---|---|")
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def _cells(row: Row) -> Iterator[str]:
    yield row.measure
    yield f"{row.ours:.4g}"
    yield "" if row.baseline is None else f"{row.baseline:.4g}"
    yield f"{row.reach:.4g}"
    yield "yes" if row.holds else "**no**"
    yield "" if row.interval is None else f"{row.interval[0]:+.2f} … {row.interval[1]:+.2f}"
    yield row.note
