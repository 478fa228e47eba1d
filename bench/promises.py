"""Puts the measured figures into the table "What it promises" of README.md.

    make fault && python bench/promises.py

Each row gets that of its figures which came nearest to its limit. A row that
was not measured keeps what it has; R18 is measured by `make soak`, and is
filled in by hand.
"""

import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FIGURES = ROOT / "bench" / "out" / "fault.json"
ROW = re.compile(r"^\| (R\d+) \|.*\|(?=[^|]*\|$)", re.MULTILINE)
LIMIT = re.compile(r"^(?P<sign>[≤≥]) (?P<value>\S+) ?(?P<unit>.*)$")

Figure = Mapping[str, Any]
"""One line of what `make fault` measured."""


def main() -> None:
    figures = json.loads(FIGURES.read_text())
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
    """The figure that came nearest to its limit, as words.

    Examples
    --------
    >>> early = {"what": "a", "median": 0.01, "limit": "≤ 0.05 s"}
    >>> cell([early, {"what": "b", "median": 0.95, "limit": "≥ 0.9"}])
    'b 0.95 (≥ 0.9)'
    """
    nearest = max(figures, key=used)
    unit = _limit(nearest)["unit"]
    return f"{nearest['what']} {nearest['median']:.3g} {unit}".rstrip() + f" ({nearest['limit']})"


def used(figure: Figure) -> float:
    """Share of its limit that a figure uses up; above 1 when it does not hold."""
    limit, median = float(_limit(figure)["value"]), float(figure["median"])
    above, below = (median, limit) if _limit(figure)["sign"] == "≤" else (limit, median)
    if below <= 0.0:
        return float("inf") if above > below else 0.0
    return above / below


def _limit(figure: Figure) -> dict[str, str]:
    found = LIMIT.match(figure["limit"])
    if found is None:
        msg = f"no limit: {figure['limit']!r}"
        raise ValueError(msg)
    return found.groupdict()


if __name__ == "__main__":
    main()
