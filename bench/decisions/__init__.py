"""Parts of bench/decisions.py: each measures one group and yields rows."""

import pathlib
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final


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


class BrokenError(SkippedError):
    """A part went wrong though what it measures is there."""


FAULTS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What data that nobody has foreseen can lead to."""


def apart(groups: Iterable[Callable[[], Iterable[Row]]]) -> Iterator[Row]:
    """Rows of all groups, of which none is kept from being measured by another.

    Raises
    ------
    SkippedError
        At the end, if some could not be measured; tells of all.
    """
    skipped: list[SkippedError] = []
    for group in groups:
        try:
            yield from group()
        except SkippedError as err:
            skipped.append(err)
        except FAULTS as err:
            skipped.append(broken(err))
    if skipped:
        told = "; ".join(dict.fromkeys(map(str, skipped)))
        is_broken = any(isinstance(each, BrokenError) for each in skipped)
        raise (BrokenError if is_broken else SkippedError)(told)


def broken(err: Exception) -> BrokenError:
    """An error in few words, with where it came up."""
    last = traceback.extract_tb(err.__traceback__)[-1]
    where = f"{pathlib.Path(last.filename).name}:{last.lineno}"
    return BrokenError(f"{type(err).__name__} in {where}: {err}")


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
