"""Decisions on recorded answers beside what they have to reach.

    python bench/decisions.py --data ../data [--only votes …] [--json] [--out bench/out]

Everything is decided by the code that serves, and what could not be is named in
its part; weights, ties, gates and the choice of the best single juror come from
training folds only. A part whose files are missing, or lack the models that it
is about, is skipped and says so; every other recording of the same form is a
pool of all its models. Without any figure the exit code is 1.
"""

import argparse
import importlib
import json
import os
import pathlib
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from types import ModuleType

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from bench import decisions  # noqa: E402 - the script puts its own project on the path
from bench.decisions import PoolFigure, Row, SkippedError, table  # noqa: E402


def main() -> None:
    options = arguments()
    found = list(measured(options.data, options.only or parts()))
    print(json.dumps([asdict(row) for row in found]) if options.json else table(found))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "decisions.md").write_text(table(found) + "\n", encoding="utf-8")
        _draw([row.figure for row in found if row.figure], options.out / "decisions.png")
    sys.exit(0 if found and all(row.holds for row in found) else 1)


def _draw(pools: Sequence[PoolFigure], path: pathlib.Path) -> None:
    if not pools:
        return
    from bench.decisions_chart import draw  # noqa: PLC0415 - the table needs no drawing library

    draw(pools, path)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    data = os.environ.get("GREMIUM_DATA")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="folder of recorded data")
    parser.add_argument("--only", nargs="+", choices=parts(), help="parts to measure")
    parser.add_argument("--json", action="store_true", help="rows as JSON instead of a table")
    parser.add_argument("--out", type=pathlib.Path, help="folder to keep the table and the plot in")
    options = parser.parse_args()
    if options.data is None:
        parser.error("GREMIUM_DATA or --data names the folder of recorded data")
    options.data = pathlib.Path(options.data)
    return options


def parts() -> list[str]:
    """Names of the modules that measure something."""
    names = sorted(found.name for found in pkgutil.iter_modules(decisions.__path__))
    return [name for name in names if hasattr(_part(name), "rows")]


def measured(data: pathlib.Path, chosen: Sequence[str]) -> Iterator[Row]:
    for name in chosen:
        try:
            for row in _part(name).rows(data):
                print(f"{name}: {row.measure}: {row.ours:.4g}", file=sys.stderr, flush=True)
                yield row
        except SkippedError as err:
            print(f"{name}: skipped: {err}", file=sys.stderr)


def _part(name: str) -> ModuleType:
    return importlib.import_module(f"bench.decisions.{name}")


if __name__ == "__main__":
    main()
