"""`gremium router compare`: whether another router would be better, before it is put in use."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from router_svc.catalog import ensemble_profiles
from router_svc.learned import Known
from router_svc.replay import Worth, trials_of, worth_of
from services.cli.options import config_option, json_option
from services.cli.progress import Progress
from services.cli.router_eval import unseen_rows
from services.cli.router_rows import Source, gathered, need_scipy, source_options
from services.cli.router_shelf import named
from services.cli.router_telling import measured_report
from services.cli.stopping import INTERRUPTED, run_until_stopped
from services.config.choose import choose
from services.config.tree import LoadedConfig
from services.ledger.routed import answered
from services.routing.artefact import Routing
from services.routing.comparing import Compared, compared
from services.routing.configured import shelf_of
from services.routing.off_policy import NoSupportError
from services.routing.shelf import ShelfError


@dataclass(frozen=True, slots=True)
class Replayed:
    """What both routers would have been worth to one ensemble, or why that is not known."""

    ensemble: str
    n: int
    """Requests whose tier was drawn and judged, and of which neither router learned."""
    worths: tuple[Worth | str, ...]


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@source_options
@click.option("--weak", default="", help="Model that is cheap; with --strong. Unset: the worst.")
@click.option("--strong", default="", help="Model that is good; with --weak. Unset: the best.")
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
    source, progress = Source(path, from_ledger, ensembles), Progress()
    source.check()
    if bool(weak) != bool(strong):
        raise click.UsageError("--weak and --strong belong together")
    need_scipy()
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    both = (named(loaded, a), named(loaded, b))
    found = run_until_stopped(gathered(source, loaded, progress))
    if found is None:
        return INTERRUPTED
    test, train = unseen_rows(shelf_of(loaded), list(both), found)
    try:
        told = compared(*both, test, train, pair=(weak, strong) if weak else None)
    except ValueError as err:
        raise click.ClickException(str(err)) from err
    replays = list(replayed(loaded, both, ensembles)) if from_ledger else []
    if as_json:
        report = _report(both, told, replays)
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return 0
    for line in (
        *_told(both, told),
        *_told_replays(both, replays, asked=from_ledger),
        *found.notes,
    ):
        click.echo(line)
    return 0


def replayed(
    loaded: LoadedConfig, both: tuple[Routing, Routing], ensembles: tuple[str, ...]
) -> Iterator[Replayed]:
    """What either would have been worth to each ensemble that explores.

    Raises
    ------
    click.ClickException
        If what they learned from is not known.
    """
    shelf, profiles = shelf_of(loaded), ensemble_profiles(loaded.config)
    ledger = loaded.resolve(loaded.config.ledger.path)
    try:
        learned = frozenset().union(*(shelf.keys(routing.id) for routing in both))
    except ShelfError as err:
        raise click.ClickException(str(err)) from err
    for name, profile in profiles.items():
        if (
            profile.terms is None
            or profile.terms.explore is None
            or name not in (ensembles or (name,))
        ):
            continue
        here = (manifest for manifest in answered(ledger) if manifest.ensemble == name)
        trials = trials_of(here, learned_from=learned)
        worths: list[Worth | str] = []
        for routing in both:
            known = Known(routing, loaded.config.models)
            try:
                worths.append(worth_of(known, trials, profile.terms) if trials else "no trial")
            except NoSupportError as err:
                worths.append(str(err))
        yield Replayed(name, len(trials), tuple(worths))


def _told(both: tuple[Routing, Routing], told: Compared) -> Iterator[str]:
    yield f"on {told.n} prompts that neither had seen:"
    for routing, measured, loss in zip(both, (told.a, told.b), told.losses, strict=True):
        ece = ", ".join(f"{fit.model} {fit.ece:.3f}" for fit in measured.fits)
        apgr = f"APGR {measured.pair.curves['router'].apgr:.3f}, " if measured.pair else ""
        cost = ""
        if measured.frontier is not None:
            cost = f"as good as {measured.frontier.best} at ${measured.frontier.cost_at_equal_quality:.6f}, "
        yield f"  {routing.id}: {apgr}{cost}log-loss {loss:.4f}, ECE {ece}"
    if told.apgr_gain is not None:
        low, high = told.apgr_gain
        yield f"  {both[1].id} less {both[0].id}: APGR {low:+.3f} to {high:+.3f} (95 %, paired)"
    low, high = told.loss_gain
    yield f"  {both[1].id} less {both[0].id}: log-loss {low:+.4f} to {high:+.4f} (95 %, paired)"
    yield from told.a.notes


def _told_replays(
    both: tuple[Routing, Routing], replays: list[Replayed], *, asked: bool
) -> Iterator[str]:
    if asked and not replays:
        yield "nothing was tried: no ensemble has `policy.explore`, so that no worth can be estimated"
    for each in replays:
        yield f"ensemble {each.ensemble}, from {each.n} requests whose tier was drawn:"
        for routing, worth in zip(both, each.worths, strict=True):
            yield f"  {routing.id}: {worth if isinstance(worth, str) else _worth(worth)}"


def _worth(worth: Worth) -> str:
    quality, cost = worth.quality, worth.cost_usd
    return (
        f"quality {quality.mean:.3f} ± {quality.standard_error:.3f}"
        f" ({quality.gain:+.3f} ± {quality.gain_error:.3f} against what was done),"
        f" ${cost.mean:.6f} ± {cost.standard_error:.6f} ({cost.gain:+.6f}) a request;"
        f" tells as much as {quality.n_effective:.0f} of its own decisions,"
        f" {worth.agrees:.0%} are the same"
    )


def _report(
    both: tuple[Routing, Routing], told: Compared, replays: list[Replayed]
) -> dict[str, Any]:
    return {
        "a": {"id": both[0].id, **measured_report(told.a), "log_loss": told.losses[0]},
        "b": {"id": both[1].id, **measured_report(told.b), "log_loss": told.losses[1]},
        "apgr_gain": told.apgr_gain,
        "log_loss_gain": told.loss_gain,
        "off_policy": [
            {
                "ensemble": each.ensemble,
                "requests": each.n,
                "a": _worth_report(each.worths[0]),
                "b": _worth_report(each.worths[1]),
            }
            for each in replays
        ],
        "notes": list(told.a.notes),
    }


def _worth_report(worth: Worth | str) -> dict[str, Any]:
    if isinstance(worth, str):
        return {"refused": worth}
    return {
        "quality": worth.quality.mean,
        "quality_error": worth.quality.standard_error,
        "quality_gain": worth.quality.gain,
        "quality_gain_error": worth.quality.gain_error,
        "cost_usd": worth.cost_usd.mean,
        "cost_usd_error": worth.cost_usd.standard_error,
        "n_effective": worth.quality.n_effective,
        "agrees": worth.agrees,
    }
