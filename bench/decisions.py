"""Decisions on recorded answers beside what they have to reach.

    python bench/decisions.py --data ../data [--only votes …] [--json] [--out bench/out]

Everything is decided by the code that serves, and what could not be is named in
its part; weights, ties, gates and the choice of the best single juror come from
training folds only. Recordings are told by their form, wherever in the folder
they lie: any of short answers, worked problems, letters or tool calls is a pool
of all its models, and what is published of a recording is held against that very
one alone. A part whose files are missing, or lack the models that it is about, is
skipped and says so. The exit code is 0 where there are figures and all of them
reach what they have to, and 1 otherwise, or where a file could not be read.
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
    found = parts.measured(
        decisions, options, lambda part: part.rows(options.data), tell=parts.on_stderr
    )
    parts.tell(found, options, name="decisions")
    if options.out:
        _draw([row.figure for row in found if row.figure], options.out / "decisions.png")
    sys.exit(found.code)


def _draw(pools: Sequence[PoolFigure], path: pathlib.Path) -> None:
    if not pools:
        return
    from bench.decisions_chart import draw  # noqa: PLC0415 - the table needs no drawing library

    draw(pools, path)


if __name__ == "__main__":
    main()
