"""`gremium ledger verify --postgres`: whether the copies are what their gateways recorded."""

import json
import os
from collections.abc import Sequence
from typing import Any

import click

from services.cli.ledger_place import Place
from services.cli.pacing import now_and_then
from services.cli.progress import Progress
from services.config.postgres import Postgres
from services.ledger.postgres_open import postgres_target
from services.ledger.verify import Finding, Proofs


def check_copies(place: Place, proofs: Proofs, *, as_json: bool) -> int:
    """Verify the copy of each gateway that feeds the database, and tell what was found.

    Returns 1 if some record was changed or removed, or there is no copy.
    """
    configured = (place.loaded.config.ledger.postgres if place.loaded else None) or Postgres()
    target = postgres_target(configured, os.environ)
    from services.ledger.postgres_verify import verify_copies  # noqa: PLC0415 - an extra

    tell = now_and_then(Progress(quiet=as_json).say)
    found = verify_copies(
        target,
        proofs,
        timeout_s=configured.timeout_s,
        tell=lambda n: tell(f"{n} records checked"),
    )
    is_ok = bool(found) and not any(each.fault for each in found)
    if as_json:
        click.echo(json.dumps({"ok": is_ok, "copies": [_told(each) for each in found]}, indent=2))
    else:
        for line in _lines(found, proofs):
            click.echo(line)
    return 0 if is_ok else 1


def _lines(found: Sequence[Finding], proofs: Proofs) -> list[str]:
    if not found:
        return ["no gateway has copied a record yet"]
    by = " by a key that was given" if proofs.verifiers else ""
    return [
        f"chain {each.chain_id}: {each.fault.problem}"
        if each.fault
        else f"chain {each.chain_id}: {each.checked} records are as they were recorded, up to"
        f" {each.count} ({each.head.hex()[:16]}); {each.signed} are signed{by}"
        for each in found
    ]


def _told(found: Finding) -> dict[str, Any]:
    fault = found.fault
    return {
        "chain_id": found.chain_id,
        "ok": fault is None,
        "count": found.count,
        "checked": found.checked,
        "removed": found.removed,
        "signed": found.signed,
        "head": found.head.hex(),
        "checkpoints": found.checkpoints,
        "fault": {"sequence": fault.sequence, "problem": fault.problem} if fault else None,
    }
