"""Parts of bench/decisions.py: each measures one group and yields rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


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
