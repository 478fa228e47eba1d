"""Decisions on recorded answers beside what they have to reach.

    python bench/decisions.py --data ../data [--only votes …] [--json] [--out bench/out]

Everything is decided by the code that serves, and what could not be is named in
its part; weights, ties, gates and the choice of the best single juror come from
training folds only. A part whose files are missing, or lack the models that it
is about, is skipped and says so; every other recording of the same form is a
pool of all its models. Without any figure the exit code is 1.
"""

import pathlib
import sys
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from bench import decisions, parts  # noqa: E402 - the script puts its own project on the path
from bench.decisions import PoolFigure  # noqa: E402


def main() -> None:
    options = parts.parsed(parts.parser(__doc__, decisions))
    found = list(parts.measured(decisions, options.only, lambda part: part.rows(options.data)))
    parts.tell(found, options, name="decisions")
    if options.out:
        _draw([row.figure for row in found if row.figure], options.out / "decisions.png")
    sys.exit(0 if found and all(row.holds for row in found) else 1)


def _draw(pools: Sequence[PoolFigure], path: pathlib.Path) -> None:
    if not pools:
        return
    from bench.decisions_chart import draw  # noqa: PLC0415 - the table needs no drawing library

    draw(pools, path)


if __name__ == "__main__":
    main()
