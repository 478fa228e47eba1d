"""Decides whether a property of the mesh holds: its figures, the tight limit, and the loose one.

The tight limit is for the median of several runs on a quiet machine, the loose
one for each single run beside a whole suite on two noisy cores.
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

LOOSENING = 5.0


@dataclass(frozen=True)
class Limit:
    """What a figure may be at most, or must be at least."""

    value: float
    at_least: bool = False
    ideal: float = 0.0
    """What `at_least` would be if nothing were lost."""
    unit: str = ""

    def loosened(self) -> "Limit":
        """The limit with five times the room from the ideal."""
        if not self.at_least:
            return Limit(LOOSENING * self.value, unit=self.unit)
        value = max(0.0, self.ideal - LOOSENING * (self.ideal - self.value))
        return Limit(value, at_least=True, ideal=self.ideal, unit=self.unit)

    def holds(self, figure: float) -> bool:
        return figure >= self.value if self.at_least else figure <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {shown(self.value, self.unit)}"


@dataclass(frozen=True)
class Figure:
    """One measurement of one row."""

    row: str
    """Such as `R1`."""
    what: str
    value: float
    limit: Limit
    undisturbed: float | None = None
    """The same measurement without the disturbance."""


@dataclass(frozen=True)
class Judged:
    """All measurements of one thing, judged by their median."""

    row: str
    what: str
    values: tuple[float, ...]
    undisturbed: float | None
    limit: Limit

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool:
        return self.limit.holds(self.median)

    def cells(self) -> tuple[str, ...]:
        unit = self.limit.unit
        undisturbed = "" if self.undisturbed is None else shown(self.undisturbed, unit)
        verdict = "yes" if self.holds else "NO"
        return self.row, self.what, undisturbed, shown(self.median, unit), str(self.limit), verdict

    def told(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "what": self.what,
            "values": self.values,
            "undisturbed": self.undisturbed,
            "median": self.median,
            "limit": str(self.limit),
            "holds": self.holds,
        }


def judged(figures: Iterable[Figure]) -> list[Judged]:
    """Figures of the same thing together, in the order of their rows."""
    together: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        together.setdefault((figure.row, figure.what), []).append(figure)
    found = [_judged(same) for same in together.values()]
    return sorted(found, key=lambda each: int(each.row.removeprefix("R")))


def table(rows: Sequence[Judged]) -> str:
    """The rows as aligned text."""
    titles = ("row", "what", "undisturbed", "median", "limit", "holds")
    lines = [titles, *(each.cells() for each in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_json(rows: Sequence[Judged]) -> str:
    return json.dumps([each.told() for each in rows], indent=2, ensure_ascii=False) + "\n"


def shown(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()


def _judged(same: Sequence[Figure]) -> Judged:
    undisturbed = [each.undisturbed for each in same if each.undisturbed is not None]
    return Judged(
        same[0].row,
        same[0].what,
        tuple(each.value for each in same),
        statistics.median(undisturbed) if undisturbed else None,
        same[0].limit,
    )
