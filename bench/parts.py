"""Runs the parts of a benchmark: modules with `rows`, whose figures stand in one table."""

import argparse
import importlib
import json
import os
import pathlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from types import ModuleType

from bench.decisions import Row, SkippedError, table

Rows = Callable[[ModuleType], Iterator[Row]]


def names(package: ModuleType) -> list[str]:
    """Modules of a package that measure something."""
    found = sorted(each.name for each in pkgutil.iter_modules(package.__path__))
    return [name for name in found if hasattr(_part(package, name), "rows")]


def parser(about: str | None, package: ModuleType) -> argparse.ArgumentParser:
    """Options that all such benchmarks take."""
    found = argparse.ArgumentParser(description=about.splitlines()[0] if about else "")
    data = os.environ.get("GREMIUM_DATA")
    found.add_argument("--data", type=pathlib.Path, default=data, help="folder of recorded data")
    found.add_argument("--only", nargs="+", choices=names(package), help="parts to measure")
    found.add_argument("--json", action="store_true", help="rows as JSON instead of a table")
    found.add_argument("--out", type=pathlib.Path, help="folder to keep the table and the plot in")
    return found


def parsed(given: argparse.ArgumentParser) -> argparse.Namespace:
    """The options; without data there is nothing to measure."""
    options = given.parse_args()
    if options.data is None:
        given.error("GREMIUM_DATA or --data names the folder of recorded data")
    options.data = pathlib.Path(options.data)
    return options


def measured(package: ModuleType, chosen: Sequence[str] | None, rows: Rows) -> Iterator[Row]:
    """Rows of the chosen parts, as they come; a part whose files are missing is skipped."""
    for name in chosen or names(package):
        try:
            for row in rows(_part(package, name)):
                print(f"{name}: {row.measure}: {row.ours:.4g}", file=sys.stderr, flush=True)
                yield row
        except SkippedError as err:
            print(f"{name}: skipped: {err}", file=sys.stderr)


def tell(found: Sequence[Row], options: argparse.Namespace, *, name: str) -> None:
    """Print the rows, and keep their table."""
    print(json.dumps([asdict(row) for row in found]) if options.json else table(found))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"{name}.md").write_text(table(found) + "\n", encoding="utf-8")


def _part(package: ModuleType, name: str) -> ModuleType:
    return importlib.import_module(f"{package.__name__}.{name}")
