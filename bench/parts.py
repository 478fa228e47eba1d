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
from functools import partial
from types import ModuleType

from bench.decisions import BrokenError, Row, SkippedError, apart, table
from bench.recordings import troubles

Rows = Callable[[ModuleType], Iterator[Row]]


class Found(list[Row]):
    """Rows that were measured."""

    broken: bool = False
    """Whether something went wrong, be it a part or a file that cannot be read."""

    @property
    def code(self) -> int:
        """Exit code: 0 where there are figures, all hold, and nothing went wrong."""
        return 0 if self and all(row.holds for row in self) and not self.broken else 1


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
    options.data = pathlib.Path(options.data).resolve()
    if not options.data.is_dir():
        given.error(f"{options.data} is no folder")
    return options


def measured(
    package: ModuleType, options: argparse.Namespace, rows: Rows, *, tell: Callable[[str], None]
) -> Found:
    """Rows of the chosen parts; a part that cannot be measured, or not wholly, is told."""
    found = Found()
    for name in options.only or names(package):
        try:
            for row in apart([partial(rows, _part(package, name))]):
                tell(f"{name}: {row.measure}: {row.ours:.4g}")
                found.append(row)
        except SkippedError as err:
            found.broken |= isinstance(err, BrokenError)
            tell(f"{name}: {'broken' if isinstance(err, BrokenError) else 'skipped'}: {err}")
    for trouble in troubles(options.data):
        found.broken |= isinstance(trouble, BrokenError)
        tell(f"not measured: {trouble}")
    return found


def on_stderr(told: str) -> None:
    print(told, file=sys.stderr, flush=True)


def tell(found: Sequence[Row], options: argparse.Namespace, *, name: str) -> None:
    """Print the rows, and keep their table."""
    print(json.dumps([asdict(row) for row in found]) if options.json else table(found))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"{name}.md").write_text(table(found) + "\n", encoding="utf-8")


def _part(package: ModuleType, name: str) -> ModuleType:
    return importlib.import_module(f"{package.__name__}.{name}")
