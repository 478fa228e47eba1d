"""`gremium ledger verify --manifest`: whether a manifest that somebody was handed is genuine."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from google.protobuf import json_format

from gremium.v1.ledger_pb2 import Attestation
from gremium.v1.manifest_pb2 import Manifest
from services.cli.show import as_dict
from services.core.errors import LedgerError
from services.ledger.attest import verified
from services.ledger.signing import public_key, verifier_of
from services.ledger.texts import Texts

NEITHER = "holds no attestation: ask for one with `attest`"


def check_attested(file: Path, keys: Sequence[Path], *, as_json: bool) -> int:
    """Verify what a file holds by the key that it names, and tell what that proves. Exits 1 if not.

    The file holds an attestation, or the reply to a request or GetManifest that has one, as JSON.
    """
    attestation, beside = _read(file)
    problem, manifest = _proved(attestation, keys)
    if not problem and beside is not None and _essence(beside) != _essence(manifest):
        problem = "the manifest beside the attestation is not the one that was recorded"
    _print(attestation, manifest, problem, as_json=as_json)
    return 1 if problem else 0


def _read(file: Path) -> tuple[Attestation, Manifest | None]:
    """An attestation, and the manifest that stands beside it."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        beside = told.get("manifest") if "attestation" in told else None
        attestation = json_format.ParseDict(told.get("attestation", told), Attestation())
        manifest = json_format.ParseDict(beside, Manifest()) if beside else None
    except (OSError, ValueError, AttributeError, json_format.ParseError) as err:
        raise click.ClickException(f"{file} {NEITHER} ({err})") from err
    return attestation, manifest


def _proved(attestation: Attestation, keys: Sequence[Path]) -> tuple[str, Manifest]:
    """What is wrong with it, empty if nothing; and the manifest that it proves."""
    if not keys:
        raise click.UsageError("--manifest needs --key PUB, or a configuration with `ledger.key`")
    own = [key for key in keys if verifier_of(key).key_id == attestation.key_id]
    key = (own or keys)[0]
    try:
        return "", verified(attestation, public_key(key.read_bytes(), name=str(key)))
    except LedgerError as err:
        return str(err), Manifest()


def _essence(manifest: Manifest) -> Manifest:
    """What records have in common however many words they keep: digests stand for texts."""
    essence = Manifest()
    essence.CopyFrom(manifest)
    for field in ("prompt", "feedback", "answers_omitted"):
        essence.ClearField(field)
    digests = [answer.content_sha256 for answer in essence.answers]
    Texts("nothing").settle(essence)
    for answer, digest in zip(essence.answers, digests, strict=True):
        answer.content_sha256 = (
            digest or answer.content_sha256
        )  # of what was given, not of what is left
    return essence


def _print(attestation: Attestation, manifest: Manifest, problem: str, *, as_json: bool) -> None:
    place: dict[str, Any] = {
        "chain_id": attestation.chain_id,
        "sequence": int(attestation.sequence),
        "key_id": attestation.key_id,
        "time": attestation.time.ToJsonString(),
    }
    if as_json:
        shown = {"ok": not problem, "problem": problem or None, **place}
        told = {**shown, "manifest": None if problem else as_dict(manifest)}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif problem:
        click.echo(problem)
    else:
        click.echo(
            f"request {manifest.request_id} is record {place['sequence']} of chain"
            f" {place['chain_id']}, of {place['time']}, signed by {place['key_id']}"
        )
