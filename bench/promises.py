"""Puts the measured figures into the table "What it promises" of README.md.

    make fault && python bench/promises.py

Each row gets what of it never happened, and that of its figures which came nearest to its limit;
nothing is written when a figure has fewer than five runs or misses its limit. A row that
was not measured keeps what it has; R18 is measured by `make soak`, and is
filled in by hand.
"""

import argparse
import json
import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FIGURES = ROOT / "bench" / "out" / "fault.json"
ROW = re.compile(r"^\| (R\d+) \|.*\|(?=[^|]*\|$)", re.MULTILINE)
LIMIT = re.compile(r"^(?P<sign>[≤≥]) (?P<value>\S+) ?(?P<unit>.*)$")

RUNS = 5

Figure = Mapping[str, Any]
"""One line of what `make fault` measured."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    figures = json.loads(FIGURES.read_text())
    if reasons := refused(figures):
        sys.exit("\n".join(reasons))
    README.write_text(filled(README.read_text(), figures))
    print(f"{README.name} tells {len({each['row'] for each in figures})} rows")


def filled(readme: str, figures: Sequence[Figure]) -> str:
    """The text with the figures in the last column of its table."""
    return "\n".join(_line(line, figures) for line in readme.split("\n"))


def _line(line: str, figures: Sequence[Figure]) -> str:
    found = ROW.match(line)
    own = [each for each in figures if found and each["row"] == found[1]]
    return f"{found[0]} {cell(own)} |" if found and own else line


def cell(figures: Sequence[Figure]) -> str:
    """What never happened, then the figure that came nearest to its limit, as words.

    Examples
    --------
    >>> never = {"what": "votes of a cut stream", "median": 0, "limit": "≤ 0"}
    >>> early = {"what": "a", "median": 0.01, "limit": "≤ 0.05 s"}
    >>> cell([never, early, {"what": "b", "median": 0.95, "limit": "≥ 0.9"}])
    'no votes of a cut stream; b 0.95 (≥ 0.9)'
    """
    never = [f"no {each['what']}" for each in figures if float(_limit(each)["value"]) == 0.0]
    measured = [each for each in figures if float(_limit(each)["value"]) > 0.0]
    return "; ".join([*never, *(_words(max(few, key=used)) for few in [measured] if few)])


def refused(figures: Sequence[Figure]) -> list[str]:
    """Why these figures may not be told: too few runs of each, or a limit that does not hold."""
    few = [
        f"{each['row']} {each['what']}: {len(each['values'])} runs"
        for each in figures
        if len(each["values"]) < RUNS
    ]
    missed = [
        f"{each['row']} {each['what']}: {each['median']:.3g}, not {each['limit']}"
        for each in figures
        if not each["holds"]
    ]
    return few + missed


def _words(figure: Figure) -> str:
    unit = _limit(figure)["unit"]
    return f"{figure['what']} {figure['median']:.3g} {unit}".rstrip() + f" ({figure['limit']})"


def used(figure: Figure) -> float:
    """Share of its limit that a figure uses up; above 1 when it does not hold."""
    limit, median = float(_limit(figure)["value"]), float(figure["median"])
    above, below = (median, limit) if _limit(figure)["sign"] == "≤" else (limit, median)
    if below > 0.0:
        return above / below
    return float("inf") if above > 0.0 else 0.0


def _limit(figure: Figure) -> dict[str, str]:
    found = LIMIT.match(figure["limit"])
    if found is None:
        msg = f"no limit: {figure['limit']!r}"
        raise ValueError(msg)
    return found.groupdict()


if __name__ == "__main__":
    main()
