"""`gremium ledger verify`: whether anything was changed or removed."""

import json
from pathlib import Path
from typing import Any

import click

from services.cli.ledger_attested import check_attested
from services.cli.ledger_copies import check_copies
from services.cli.ledger_place import Place, key_option, ledger_argument, place_of
from services.cli.options import config_option, json_option
from services.cli.pacing import now_and_then
from services.cli.progress import Progress
from services.cli.words import counted
from services.ledger.checkpoint import read_checkpoints
from services.ledger.verify import Finding, Proofs
from services.ledger.verify import verify as verify_ledger

WRONG = 1


@click.command(short_help="Check that nothing was changed or removed.")
@ledger_argument
@key_option
@click.option(
    "--checkpoints",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of checkpoints, as `gremium ledger checkpoint` keeps it.",
)
@click.option(
    "--quick", is_flag=True, help="Check only what was recorded since the last checkpoint."
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Instead of the ledger: a reply with an attestation, as JSON; needs only the --key.",
)
@click.option(
    "--postgres",
    is_flag=True,
    help="Instead of the ledger: the copies in PostgreSQL, of all gateways that feed it.",
)
@config_option
@json_option("Print what was found as JSON.")
def verify(
    *,
    ledger: Path | None,
    keys: tuple[Path, ...],
    checkpoints: Path | None,
    quick: bool,
    manifest: Path | None,
    postgres: bool,
    config: Path | None,
    as_json: bool,
) -> int:
    """Check that no record was changed or removed, and name the first that was. Exits 1 then.

    Every record's hash covers the one before it: without more, this finds what was changed by
    hand. With a public key it finds records that nobody with the private key made; with
    checkpoints, records that are missing at the end, and a ledger that was made anew.

    LEDGER is a file to check without a configuration; believe its records by --key.
    """
    if quick and checkpoints is None:
        raise click.UsageError("--quick needs --checkpoints FILE")
    if manifest is not None:
        believed = keys or place_of(ledger, config).keys
        return check_attested(manifest, believed, as_json=as_json)
    place = place_of(ledger, config)
    proofs = Proofs(
        place.verifiers(keys), None if checkpoints is None else read_checkpoints(checkpoints)
    )
    if postgres:
        return check_copies(place, proofs, as_json=as_json)
    tell = now_and_then(Progress(quiet=as_json).say)
    found = verify_ledger(
        place.path, proofs, resume=quick, tell=lambda n: tell(f"{n} records checked")
    )
    _print(place, found, proofs, as_json=as_json)
    return WRONG if found.fault else 0


def _print(place: Place, found: Finding, proofs: Proofs, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_told(place, found), indent=2))
        return
    if found.fault:
        click.echo(f"{place.path}: {found.fault.problem}")
    before = "before it, " if found.fault else ""
    checked = counted(found.checked, "record")
    seen = f"checked {checked}, up to {found.count} ({found.head.hex()[:16]})"
    click.echo(f"{before}{seen}: as they were recorded")
    for line in _reach(found, proofs):
        click.echo(line)


def _reach(found: Finding, proofs: Proofs) -> list[str]:
    """How far this proof reaches, and what would make it reach further."""
    lines = []
    if proofs.verifiers:
        ids = ", ".join(each.key_id for each in proofs.verifiers)
        lines.append(f"signed by {ids}: {found.signed} of them")
    else:
        lines.append("no key was given: whoever can write to the file can make such a chain anew")
    if found.removed:
        lines.append(f"retention removed all up to {found.removed}, as a tombstone says")
    if proofs.checkpoints is None:
        lines.append("no checkpoints were given: records that are missing at the end are not found")
    elif not found.fault:
        lines.append(f"checkpoints that agree: {found.checkpoints - found.outlived}")
    return lines


def _told(place: Place, found: Finding) -> dict[str, Any]:
    fault = found.fault
    return {
        "ledger": str(place.path),
        "ok": fault is None,
        "chain_id": found.chain_id,
        "count": found.count,
        "checked": found.checked,
        "removed": found.removed,
        "signed": found.signed,
        "head": found.head.hex(),
        "checkpoints": found.checkpoints,
        "checkpoints_outlived": found.outlived,
        "fault": {"sequence": fault.sequence, "problem": fault.problem} if fault else None,
    }
