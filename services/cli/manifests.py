"""`gremium manifest` and `gremium manifests`: what the ledger knows."""

from pathlib import Path

import click

from gremium.v1.ensemble_pb2 import (
    GetManifestRequest,
    GetManifestResponse,
    ListManifestsRequest,
    ListManifestsResponse,
)
from services.cli.client import connected
from services.cli.errors import INTERRUPTED
from services.cli.options import address_option, json_option, timeout_option
from services.cli.show import manifest_list, print_json, say, screen, show_manifest
from services.cli.stopping import run_until_stopped
from services.cli.telling import chosen_texts
from services.core.deadline import Deadline
from services.runtime.calls import call


@click.command()
@click.argument("request_id", metavar="ID")
@click.option("--attest", is_flag=True, help="With --json: its record as it was signed, beside it.")
@timeout_option(10.0)
@address_option
@json_option("Print the manifest as JSON.")
def manifest(
    request_id: str, attest: bool, timeout_s: float, address: str | None, as_json: bool
) -> int:
    """Show who took part in the request ID, and how it ended."""
    if attest and not as_json:
        raise click.UsageError("--attest needs --json, which `gremium ledger verify` reads")
    request = GetManifestRequest(request_id=request_id, attest=attest)
    reply = run_until_stopped(_get(request, address, timeout_s))
    if reply is None:
        return INTERRUPTED
    found = reply.manifest
    if attest:
        print_json(reply)
        return 0
    for text in chosen_texts(found) if not as_json else ():
        say(f"{text}\n")
    (print_json if as_json else show_manifest)(found)
    return 0


@click.command()
@click.option(
    "--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="Most to show."
)
@click.option("--ensemble", default="", help="Only this ensemble.")
@timeout_option(10.0)
@address_option
@json_option("Print them as JSON.")
def manifests(
    limit: int, ensemble: str, timeout_s: float, address: str | None, as_json: bool
) -> int:
    """List the latest requests."""
    request = ListManifestsRequest(page_size=limit, ensemble=ensemble)
    found = run_until_stopped(_list(request, address, timeout_s))
    if found is None:
        return INTERRUPTED
    if as_json:
        print_json(found)
    else:
        screen().print(manifest_list(found.manifests))
    return 0


async def _get(
    request: GetManifestRequest, address: str | None, timeout_s: float
) -> GetManifestResponse:
    async with connected(address, directory=Path.cwd()) as stub:
        return await call(stub.GetManifest, request, deadline=Deadline.after(timeout_s))


async def _list(
    request: ListManifestsRequest, address: str | None, timeout_s: float
) -> ListManifestsResponse:
    async with connected(address, directory=Path.cwd()) as stub:
        return await call(stub.ListManifests, request, deadline=Deadline.after(timeout_s))
