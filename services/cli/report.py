"""`gremium report`: what the recorded requests say of the ensembles, and what to change."""

import json
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from services.cli.ages import AGE
from services.cli.options import config_option, json_option
from services.cli.report_telling import told
from services.cli.show import screen
from services.config.choose import choose
from services.config.tree import Config
from services.core.errors import UnknownEnsembleError
from services.ledger.reported import Which
from services.report.advice import Advice, advised
from services.report.page import page
from services.report.plain import report_dict
from services.report.recommend import Recommended, recommended
from services.report.rows import JURY
from services.report.source import recorded
from services.report.summary import Report, Seats, summarised


@click.command()
@click.argument("ledger", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--since", type=AGE, help="Only requests that began within this time: 7d, 12h, 30m.")
@click.option("--ensemble", "ensembles", multiple=True, help="Only this ensemble; repeatable.")
@click.option(
    "--labels",
    metavar="KEY=VALUE",
    multiple=True,
    help="Only requests whose caller gave this label; repeatable, all must fit.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page that needs nothing else, instead of printing.",
)
@config_option
@json_option("Print all figures, the advice and the diff as JSON.")
def report(
    *,
    ledger: Path | None,
    since: timedelta | None,
    ensembles: tuple[str, ...],
    labels: tuple[str, ...],
    html: Path | None,
    config: Path | None,
    as_json: bool,
) -> int:
    """Tell where jurors disagree, what was too dear, and what to change.

    Reads LEDGER, or the configured one, beside a mesh that serves. Every figure has its 95 %
    interval; one that too little stands behind is unknown, with the numbers.
    What truth is known of comes from `gremium feedback`.

    The advice ends with a diff of the configuration, which `patch -p0` takes.
    Nothing is changed.
    """
    which = Which(_since_ns(since), ensembles, _labels(labels))
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    path = ledger or loaded.resolve(loaded.config.ledger.path)
    figures = _measured(path, which, _seats(loaded.config))
    _check(ensembles, {each.name for each in figures.ensembles} | set(loaded.config.ensembles))
    advice = tuple(advised(figures, loaded.config))
    change = recommended(
        loaded.path.read_text(encoding="utf-8-sig"), advice, name=_from_here(loaded.path)
    )
    if html is not None:
        html.write_text(page(figures, advice, diff=change.diff), encoding="utf-8")
        click.echo(f"written to {html}")
    elif as_json:
        shown = report_dict(figures, advice, diff=change.diff)
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        _print(figures, advice, change)
    return 0


def _measured(path: Path, which: Which, seats: Seats) -> Report:
    since_s = which.since_ns / 1e9 if which.since_ns else None
    return summarised(*recorded(path, which), since_s=since_s, seats=seats)


def _check(ensembles: Sequence[str], known: Collection[str]) -> None:
    """Refuse a name that neither the ledger nor the configuration has."""
    for name in ensembles:
        if name not in known:
            raise UnknownEnsembleError.named(name, known)


def _seats(config: Config) -> Seats:
    """Jurors by ensemble and tier, as votes name their tier."""
    return {
        name: {
            "" if ensemble.pattern == JURY else tier.name: frozenset(j.label for j in tier.jurors)
            for tier in ensemble.tiers
        }
        for name, ensemble in config.ensembles.items()
    }


def _from_here(path: Path) -> str:
    """The path as `patch` takes it: from the current folder, if it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else path.name


def _since_ns(age: timedelta | None) -> int:
    """When that was; without an age, the beginning of time."""
    return int((datetime.now(UTC) - age).timestamp() * 1e9) if age is not None else 0


def _labels(given: Sequence[str]) -> dict[str, str]:
    wrong = [each for each in given if "=" not in each[1:]]
    if wrong:
        raise click.UsageError(f"--labels {wrong[0]!r} is not of the form KEY=VALUE")
    pairs = (each.partition("=") for each in given)
    return {key: value for key, _, value in pairs}


def _print(figures: Report, advice: Sequence[Advice], change: Recommended) -> None:
    out = screen()
    for part in told(figures):
        click.echo(part) if isinstance(part, str) else out.print(part)
    click.echo("")
    for number, each in enumerate(advice, start=1):
        click.echo(f"{number}. {each.ensemble}: {each.text} [{each.code}]")
    if not advice:
        click.echo("nothing to change, as far as is known")
    for why in change.left:
        click.echo(f"not in the diff: {why}")
    if change.diff:
        click.echo(f"\n{change.diff}", nl=False)
