"""`gremium ledger key`: a key that signs records, and the public half that proves it."""

import json
from pathlib import Path
from typing import Final

import click

from services.cli.ledger_place import configuration
from services.cli.options import config_option, json_option
from services.config.choose import STATE
from services.ledger.signing import make_key, public_key, public_pem, verifier_of

NAME: Final = "ledger-key.pem"


@click.command(short_help="Make a key that signs records.")
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--show", is_flag=True, help="Only print the public key of a key that exists.")
@config_option
@json_option('Print {"key_id": ID, "private": FILE, "public": FILE, "pem": PUBLIC KEY}.')
def key(*, path: Path | None, show: bool, config: Path | None, as_json: bool) -> int:
    """Make a key that signs records, in the file PATH, and its public half in PATH.pub.

    Without PATH it is the file that `ledger.key` names, else .gremium/ledger-key.pem. An existing
    key is never replaced. Whoever has the public key can prove what the ledger holds; let nobody
    but the gateway read the private one.
    """
    named = path or _configured(config)
    if not show:
        named.parent.mkdir(parents=True, exist_ok=True)
        make_key(named)
    pem = public_pem(public_key(named.read_bytes(), name=str(named)))
    public = named.with_name(f"{named.name}.pub")
    if not show:
        public.write_bytes(pem)
    told = {
        "key_id": verifier_of(named).key_id,
        "private": str(named),
        "public": str(public),
        "pem": pem.decode(),
    }
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        _tell(told, made=not show)
    return 0


def _configured(config: Path | None) -> Path:
    loaded = configuration(config)
    beside = NAME if loaded.path.parent.name == STATE else f"{STATE}/{NAME}"
    return loaded.resolve(loaded.config.ledger.key or beside)


def _tell(told: dict[str, str], *, made: bool) -> None:
    click.echo(told["pem"], nl=False)
    if made:
        click.echo(
            f"key {told['key_id']}: private in {told['private']}, public in {told['public']}"
        )
        said = f"gremium.yaml says `ledger: {{key: {told['private']}}}`"
        click.echo(f"records are signed from the next start on, if {said}")
    else:
        click.echo(f"key {told['key_id']}")
