"""`gremium router compare`: whether another router would be better, before it is put in use."""

import json
import os
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any

import click

from services.cli.errors import INTERRUPTED
from services.cli.options import config_option, json_option
from services.cli.progress import Progress
from services.cli.router_eval import unseen_rows
from services.cli.router_replay import Replayed, replay_report, replayed, told_replays
from services.cli.router_rows import (
    Source,
    gathered,
    need_scipy,
    pair_of,
    pair_options,
    source_options,
)
from services.cli.router_shelf import named
from services.cli.router_telling import measured_report
from services.cli.stopping import run_until_stopped
from services.config.choose import choose
from services.routing.artefact import Routing
from services.routing.comparing import Compared, compared
from services.routing.configured import shelf_of
from services.routing.measuring import Measured
from services.routing.rows import Rows

Both = tuple[Routing, Routing]


@click.command(short_help="Hold two routers against each other.")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@source_options
@pair_options
@config_option
@json_option("Print the figures as JSON.")
def compare(
    *,
    a: str,
    b: str,
    path: Path | None,
    from_ledger: bool,
    ensembles: tuple[str, ...],
    weak: str,
    strong: str,
    config: Path | None,
    as_json: bool,
) -> int:
    """Hold the routers A and B against each other; `current` is the one in use.

    With --from on labelled rows that neither learned from, with the paired 95 % interval of the
    difference.

    With --from-ledger also on the mesh's own traffic, where an ensemble explores (`policy.explore`):
    what the choices of either would have been worth is estimated from what was drawn with a known
    probability (doubly robust), or refused where the log does not show what it would do. That needs
    `router.record: embedding`.
    """
    source, pair = Source(path, from_ledger, ensembles), pair_of(weak, strong)
    source.check()
    need_scipy()
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    both = (named(loaded, a), named(loaded, b))
    found = run_until_stopped(gathered(source, loaded, Progress()))
    if found is None:
        return INTERRUPTED
    told = _compared(both, *unseen_rows(shelf_of(loaded), list(both), found), pair=pair)
    if isinstance(told, str) and not from_ledger:
        raise click.ClickException(told)
    replays = list(replayed(loaded, both, ensembles)) if from_ledger else []
    if as_json:
        click.echo(json.dumps(_report(both, told, replays), indent=2, ensure_ascii=False))
        return 0
    tried = told_replays(both, replays) if from_ledger else ()
    for line in (*_told(both, told), *tried, *found.notes):
        click.echo(line)
    return 0


def _compared(
    both: Both, test: Rows, train: Rows | None, *, pair: tuple[str, str] | None
) -> Compared | str:
    """Both on the same rows, or why not."""
    try:
        return compared(*both, test, train, pair=pair)
    except ValueError as err:
        return str(err)


def _told(both: Both, told: Compared | str) -> Iterator[str]:
    if isinstance(told, str):
        yield told
        return
    yield f"on {told.n} prompts that neither had seen:"
    for routing, found, loss in zip(both, (told.a, told.b), told.losses, strict=True):
        yield f"  {routing.id}: log-loss {loss:.4f}{_figures(found)}"
    gains = [("log-loss", told.loss_gain), ("APGR", told.apgr_gain)]
    for name, (low, high) in ((name, gain) for name, gain in gains if gain is not None):
        yield f"  {both[1].id} less {both[0].id}: {name} {low:+.4f} to {high:+.4f} (95 %, paired)"
    yield from told.a.notes


def _figures(found: Measured) -> str:
    told = []
    if found.pair is not None:
        told.append(f"APGR {found.pair.curves['router'].apgr:.3f}")
    if found.frontier is not None and isfinite(equal := found.frontier.cost_at_equal_quality):
        told.append(f"as good as {found.frontier.best} at ${equal:.6f}")
    told += [f"ECE of {fit.model} {fit.ece:.3f}" for fit in found.fits]
    return "".join(f", {each}" for each in told)


def _report(both: Both, told: Compared | str, replays: list[Replayed]) -> dict[str, Any]:
    report: dict[str, Any] = {"a": {"id": both[0].id}, "b": {"id": both[1].id}}
    report["off_policy"] = [replay_report(each) for each in replays]
    if isinstance(told, str):
        return {**report, "notes": [told]}
    for name, found, loss in (("a", told.a, told.losses[0]), ("b", told.b, told.losses[1])):
        report[name] |= {**measured_report(found), "log_loss": loss}
    report |= {"apgr_gain": told.apgr_gain, "log_loss_gain": told.loss_gain}
    return {**report, "notes": list(told.a.notes)}
