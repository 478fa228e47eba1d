"""Decides whether a property of the mesh holds: its figures, the tight limit, and the loose one.

The tight limit is for the median of several runs on a quiet machine, the loose
one for each single run beside a whole suite on two noisy cores. Where both are
the same, as for what must never happen, each single run has to hold it.
"""

import json
import re
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

LOOSENING = 5.0
ABOUT = re.compile(r"test_r(\d+)_")
"""What a file's tests are about."""


@dataclass(frozen=True)
class Limit:
    """What a figure may be at most, or must be at least."""

    value: float
    at_least: bool = False
    ideal: float = 0.0
    """What a figure would be if nothing were lost."""
    unit: str = ""
    share: bool = False
    """Whether it is a share of a whole, which is never above 1."""

    def loosened(self) -> "Limit":
        """The limit with five times the room from the ideal; of a share, with five times the odds.

        Examples
        --------
        >>> Limit(1.1, ideal=1.0).loosened().value
        1.5
        """
        if self.share:
            return replace(self, value=_odds_loosened(self.value, at_least=self.at_least))
        return replace(self, value=round(self.ideal + LOOSENING * (self.value - self.ideal), 9))

    @property
    def is_firm(self) -> bool:
        """Whether loosening leaves it as it is, so that no run has an excuse.

        Examples
        --------
        >>> Limit(0.0).is_firm, Limit(10.0, ideal=10.0).is_firm, Limit(0.05).is_firm
        (True, True, False)
        """
        return self.loosened() == self

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
    module: str = ""
    """File of the test that measured it."""


@dataclass(frozen=True)
class Judged:
    """All measurements of one thing, judged by their median."""

    row: str
    what: str
    values: tuple[float, ...]
    undisturbed: float | None
    limit: Limit
    modules: frozenset[str] = frozenset()
    """Files of the tests that measured it."""

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
    return sorted(found, key=lambda each: _number(each.row))


def table(rows: Sequence[Judged]) -> str:
    """The rows as aligned text."""
    titles = ("row", "what", "undisturbed", "median", "limit", "holds")
    lines = [titles, *(each.cells() for each in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def beside(rows: Sequence[Judged], earlier: str) -> list[dict[str, Any]]:
    """What is measured now beside what an earlier run, given as JSON, measured of other things."""
    now = [each.told() for each in rows]
    measured = {(each["row"], each["what"]) for each in now}
    kept = [e for e in json.loads(earlier) if (e["row"], e["what"]) not in measured]
    return sorted(kept + now, key=lambda each: _number(each["row"]))


def sound(rows: Sequence[Judged], failed: Collection[str]) -> list[Judged]:
    """Those of properties that hold: each median of theirs, and each test in a file about them.

    Parameters
    ----------
    failed : collection of str
        Files in which a test failed.
    """
    broken = {each.row for each in rows if not each.holds or each.modules & set(failed)}
    about = {f"R{int(found[1])}" for name in failed if (found := ABOUT.match(name))}
    return [each for each in rows if each.row not in broken | about]


def outcome(rows: Sequence[Judged], failed: Collection[str], *, path: object) -> str:
    """What a run comes to, as words."""
    if len(sound(rows, failed)) == len(rows) and not failed:
        return f"all {len(rows)} figures hold: {path}"
    missed = [f"{each.row} {each.what}" for each in rows if not each.holds]
    why = [f"these miss their limits: {'; '.join(missed)}"] if missed else []
    why += [f"a test failed in {', '.join(sorted(failed))}"] if failed else []
    left = dict.fromkeys(each.row for each in rows if each not in sound(rows, failed))
    return f"no figure of {', '.join(left) or 'these'} is kept in {path}: {'; '.join(why)}"


def as_json(told: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def shown(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()


def _number(row: str) -> int:
    return int(row.removeprefix("R"))


def _odds_loosened(share: float, *, at_least: bool) -> float:
    """Five times the odds that a share stands for, or a fifth of them: never 0 and never 1."""
    odds = share / (1.0 - share) * (1.0 / LOOSENING if at_least else LOOSENING)
    return odds / (1.0 + odds)


def _judged(same: Sequence[Figure]) -> Judged:
    undisturbed = [each.undisturbed for each in same if each.undisturbed is not None]
    return Judged(
        same[0].row,
        same[0].what,
        tuple(each.value for each in same),
        statistics.median(undisturbed) if undisturbed else None,
        same[0].limit,
        frozenset(each.module for each in same),
    )
