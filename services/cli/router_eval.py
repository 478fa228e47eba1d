"""`gremium router eval`: what a trained router is worth on prompts that it had not seen."""

import json
import os
from pathlib import Path

import click
import numpy as np

from services.cli.errors import INTERRUPTED
from services.cli.options import OUT_FILE, config_option, json_option
from services.cli.progress import Progress
from services.cli.router_rows import (
    Gathered,
    Source,
    gathered,
    need_matplotlib,
    need_scipy,
    pair_of,
    pair_options,
    source_options,
)
from services.cli.router_shelf import named
from services.cli.router_telling import measured_report, told_of_measured
from services.cli.stopping import run_until_stopped
from services.config.choose import choose
from services.routing.artefact import Routing
from services.routing.chart import draw
from services.routing.configured import shelf_of
from services.routing.measuring import Measured, measured
from services.routing.rows import Rows
from services.routing.shelf import Shelf, ShelfError
from services.routing.training import warnings


@click.command("eval", short_help="Measure a router on labelled rows.")
@click.argument("id_", metavar="[ID]", default="")
@source_options
@pair_options
@click.option(
    "--png",
    type=OUT_FILE,
    help="Draw the cost-quality curves; needs pip install 'gremium[charts]'.",
)
@config_option
@json_option("Print the figures as JSON.")
def evaluate(
    *,
    id_: str,
    path: Path | None,
    from_ledger: bool,
    ensembles: tuple[str, ...],
    weak: str,
    strong: str,
    png: Path | None,
    config: Path | None,
    as_json: bool,
) -> int:
    """Measure the router ID on labelled rows; without ID the one in use, else the newest.

    Rows of prompts that it learned from are not measured on; they teach the plain rules beside it
    (nearest neighbours, the mean of a domain). APGR is the mean share of the gap between the weak
    and the strong model that it recovers, PGR that share at half of the calls to the strong one,
    CPT50 and CPT80 the share of such calls that recovers 50 % and 80 % of it; intervals are by
    paired bootstrap over the prompts, of the difference to the plain rule.
    """
    source, progress = Source(path, from_ledger, ensembles), Progress()
    source.check()
    pair = pair_of(weak, strong)
    need_scipy()
    if png is not None:
        need_matplotlib()
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    routing = named(loaded, id_)
    found = run_until_stopped(gathered(source, loaded, progress))
    if found is None:
        return INTERRUPTED
    test, train = unseen_rows(shelf_of(loaded), [routing], found)
    told = _measured(routing, test, train, len(found.rows) - len(test), pair)
    if png is not None:
        _draw(told, png, routing)
    _print(told, routing, found, as_json=as_json)
    return 0


def _print(told: Measured, routing: Routing, found: Gathered, *, as_json: bool) -> None:
    if as_json:
        report = {"id": routing.id, **measured_report(told), "notes": [*told.notes, *found.notes]}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    click.echo(f"router {routing.id}, measured on {told.n} prompts that it had not seen")
    for line in (*told_of_measured(told), *found.notes, *warnings(routing)):
        click.echo(line)


def unseen_rows(shelf: Shelf, routings: list[Routing], found: Gathered) -> tuple[Rows, Rows | None]:
    """Rows that none of the routers learned from, and those that all of them may have.

    Raises
    ------
    click.ClickException
        If nothing is left to measure on, or what they learned from is not known.
    """
    try:
        learned = frozenset().union(*(shelf.keys(routing.id) for routing in routings))
    except ShelfError as err:
        raise click.ClickException(str(err)) from err
    at = [i for i, key in enumerate(found.rows.keys) if key not in learned]
    known = [i for i, key in enumerate(found.rows.keys) if key in learned]
    if not at:
        raise click.ClickException(
            f"all {len(found.rows)} rows are of prompts that it learned from; measure on others, or"
            " train with --hold-out"
        )
    if found.rows.vectors.shape[1] != routings[0].embedding.dim:
        given = f"vectors have {found.rows.vectors.shape[1]} numbers"
        raise click.ClickException(f"{given}; the router needs {routings[0].embedding.dim}")
    seen = found.rows.only(np.array(known, dtype=np.intp)) if known else None
    return found.rows.only(np.array(at, dtype=np.intp)), seen


def _measured(
    routing: Routing,
    test: Rows,
    train: Rows | None,
    dropped: int,
    pair: tuple[str, str] | None,
) -> Measured:
    try:
        return measured(routing, test, train, dropped=dropped, pair=pair)
    except ValueError as err:
        raise click.ClickException(f"router {routing.id}: {err}") from err


def _draw(found: Measured, path: Path, routing: Routing) -> None:
    try:
        draw(found, path, title=f"router {routing.id}, {found.n} prompts that it had not seen")
    except ValueError as err:
        raise click.ClickException(str(err)) from err
