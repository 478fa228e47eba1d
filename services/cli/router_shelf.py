"""`gremium router list`, `use` and `rollback`: which trained router decides."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from services.cli.options import config_option, json_option
from services.cli.router_telling import shelf_report, shelf_table
from services.cli.show import screen
from services.config.choose import choose
from services.config.tree import LoadedConfig
from services.routing.artefact import Routing, RoutingError
from services.routing.configured import fitting, shelf_of
from services.routing.shelf import Shelf, ShelfError, Use

NOTICED: Final = "a router that serves notices within two seconds"
PINNED: Final = (
    "`router.artefact` is configured, and the mesh keeps to that file whatever is in use"
)


@click.command("list", short_help="Show the routers, and which is in use.")
@config_option
@json_option('Print them as JSON: {"in_use": ID or "", "pinned": FILE or "", "routers": [...]}.')
def list_(*, config: Path | None, as_json: bool) -> int:
    """Show the routers on the shelf, newest first, and which is in use."""
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    shelf = shelf_of(loaded)
    found = [(id_, _read(shelf, id_)) for id_ in shelf.ids()]
    uses = _uses(shelf)
    if as_json:
        told = shelf_report(found, uses, pinned=loaded.config.router.artefact or "")
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif not found:
        click.echo(f"{shelf.folder} holds no router; `gremium router train` makes one")
    else:
        screen().print(shelf_table(found, uses))
    return 0


@click.command(short_help="Put a router in use.")
@click.argument("id_", metavar="ID")
@config_option
@json_option('Print {"in_use": ID, "before": ID or ""}.')
def use(*, id_: str, config: Path | None, as_json: bool) -> int:
    """Put the router ID in use; the first digits of an id are enough.

    It is checked first, and refused where it was trained with another embedding than the
    configured one.
    """
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    _tell(*put_in_use(loaded, shelf_of(loaded), id_), loaded, as_json=as_json)
    return 0


@click.command(short_help="Go back to the router before.")
@config_option
@json_option('Print {"in_use": ID or "", "before": ID}.')
def rollback(*, config: Path | None, as_json: bool) -> int:
    """Take the router in use back: the one before it is in use again, or none.

    Without any, heuristics decide as before the first. Each call goes one step further back.
    """
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    shelf = shelf_of(loaded)
    try:
        before, now = shelf.current() or "", shelf.roll_back() or ""
    except (RoutingError, ShelfError) as err:
        raise click.ClickException(str(err)) from err
    _tell(now, before, loaded, as_json=as_json)
    return 0


def put_in_use(loaded: LoadedConfig, shelf: Shelf, start: str) -> tuple[str, str]:
    """Put the router whose id begins so in use; returns its id and that of the one before.

    Raises
    ------
    click.ClickException
        If there is no such router, or it cannot be used.
    """
    try:
        id_, before = shelf.find(start), shelf.current() or ""
        fitting(shelf.read(id_), loaded.config.embeddings)
        shelf.use(id_, now=datetime.now(UTC).isoformat(timespec="seconds"))
    except (RoutingError, ShelfError) as err:
        raise click.ClickException(str(err)) from err
    return id_, before


def named(loaded: LoadedConfig, start: str) -> Routing:
    """The router of this id; of `current` or none the one in use, else the newest.

    Raises
    ------
    click.ClickException
        If there is none, or it cannot be used.
    """
    shelf = shelf_of(loaded)
    try:
        id_ = _meant(shelf, start)
        return fitting(shelf.read(id_), loaded.config.embeddings)
    except (RoutingError, ShelfError) as err:
        raise click.ClickException(str(err)) from err


def _meant(shelf: Shelf, start: str) -> str:
    if start not in {"", "current"}:
        return shelf.find(start)
    if current := shelf.current():
        return current
    ids = shelf.ids()
    if start == "current":
        raise ShelfError(f"{shelf.folder}: no router is in use")
    if not ids:
        raise ShelfError(f"{shelf.folder} holds no router; `gremium router train` makes one")
    return ids[0]


def _tell(now: str, before: str, loaded: LoadedConfig, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"in_use": now, "before": before}))
        return
    told = f"router {now} is in use" if now else "no router is in use: heuristics decide"
    click.echo(f"{told}{f', before it {before}' if before else ''}; {NOTICED}")
    if loaded.config.router.artefact is not None:
        click.echo(f"warning: {PINNED}", err=True)


def _read(shelf: Shelf, id_: str) -> Routing | str:
    """It, or why it cannot be used."""
    try:
        return shelf.read(id_)
    except RoutingError as err:
        return str(err)


def _uses(shelf: Shelf) -> tuple[Use, ...]:
    try:
        return shelf.uses()
    except ShelfError as err:
        raise click.ClickException(str(err)) from err
