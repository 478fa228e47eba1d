"""`gremium ledger checkpoint`: note elsewhere how far the ledger is."""

from datetime import UTC, datetime
from pathlib import Path

import click

from services.cli.ledger_place import key_option, ledger_argument, place_of
from services.cli.options import config_option, json_option
from services.cli.words import counted
from services.ledger.checkpoint import Checkpoint, append_checkpoint, read_checkpoints
from services.ledger.verify import Proofs, verify


@click.command(short_help="Note elsewhere how far the ledger is.")
@ledger_argument
@click.option(
    "--to",
    "to",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to append to, one checkpoint a line; keep it where nobody who can write to the ledger can write to it.",
)
@key_option
@config_option
@json_option("Print the checkpoint as JSON.")
def checkpoint(
    *,
    ledger: Path | None,
    to: Path,
    keys: tuple[Path, ...],
    config: Path | None,
    as_json: bool,
) -> int:
    """Note how many records the ledger has and the hash of the last one, signed by `ledger.key`.

    What was recorded since the last checkpoint of the file is verified first; nothing is noted of
    a ledger that is not what it was.
    """
    place = place_of(ledger, config)
    earlier = read_checkpoints(to) if to.exists() else None
    found = verify(place.path, Proofs(place.verifiers(keys), earlier))
    if found.fault:
        raise click.ClickException(f"{place.path}: {found.fault.problem}; nothing is noted")
    taken = Checkpoint(found.chain_id, found.count, found.head, datetime.now(UTC).isoformat())
    signer = place.signer()
    taken = taken.signed(signer) if signer else taken
    append_checkpoint(to, taken)
    if as_json:
        click.echo(taken.to_line())
    else:
        signed = (
            f"signed by key {signer.key_id}" if signer else "unsigned: `ledger.key` names no key"
        )
        click.echo(
            f"{counted(taken.count, 'record')} up to {taken.head.hex()[:16]}; {signed}; noted in {to}"
        )
    return 0
