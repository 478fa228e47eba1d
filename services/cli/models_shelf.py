"""`gremium models pull` and `gremium models add`: weights for local models, by name."""

import os
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from services.cli.errors import INTERRUPTED
from services.cli.stopping import run_until_stopped
from services.models import shelf
from services.models.catalog import PUBLISHED, PublishedWeights
from services.models.download import download
from services.models.endpoint import open_session
from services.models.shelf import Shelved
from services.models.weights import digest, verify

HUB = "https://huggingface.co"


@click.command()
@click.argument("name", metavar="NAME", type=click.Choice(sorted(PUBLISHED)))
def pull(name: str) -> int:
    """Fetch a small model's weights and check their digest.

    NAME is gemma-3-1b, qwen2.5-0.5b or qwen2.5-1.5b. The weights come from
    the model's repository at Hugging Face (or the mirror that HF_ENDPOINT
    names) into the user's data folder. A fetch that was stopped goes on where
    it was.
    """
    known, entry = PUBLISHED[name], shelf.find(name)
    if entry:
        shelf.must_be_sound(name, entry, known.sha256)
        click.echo(f"{name} is there: {entry.path}")
        return 0
    return INTERRUPTED if run_until_stopped(_pull(name, known)) is None else 0


async def _pull(name: str, known: PublishedWeights) -> bool:
    target = shelf.shelf_folder() / known.file
    if not target.exists():
        click.echo(
            f"{known.file}, {known.size_bytes / 1e6:.0f} MB, licence: {known.license}", err=True
        )
        await _download(known, target)
    verify(target, known.sha256)
    shelf.put(name, Shelved(path=target, sha256=known.sha256, family=known.family))
    _tell_use(name, known.family)
    return True


async def _download(known: PublishedWeights, target: Path) -> None:
    hub = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(known.file, total=known.size_bytes)
        async with open_session() as session:
            await download(
                f"{hub}/{known.address}",
                target,
                size_bytes=known.size_bytes,
                sha256=known.sha256,
                session=session,
                tell=lambda have: progress.update(bar, completed=have),
            )


@click.command(short_help="Give a GGUF file of your own a name.")
@click.argument("name")
@click.option(
    "--file",
    "path",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
    help="GGUF file; it stays where it is.",
)
@click.option("--sha256", default="", help="Digest that it must have; else it is taken as it is.")
@click.option("--family", default="", help="What it was trained as, such as qwen or llama.")
def add(name: str, path: Path, sha256: str, family: str) -> int:
    """Give a GGUF file of your own a name that `backend: local` models can use.

    A name that `pull` knows is given only to the very file that it would fetch.
    """
    if sha256:
        verify(path, sha256.lower())
    else:
        with path.open("rb") as file:
            sha256 = digest(file)
    shelf.put(name, Shelved(path=path, sha256=sha256.lower(), family=family))
    _tell_use(name, family)
    return 0


def _tell_use(name: str, family: str) -> None:
    told = family or "…"
    click.echo(
        f"{name} is ready; in gremium.yaml, under `models`:\n"
        f"  {name}: {{backend: local, model: {name}, family: {told}, timeout_s: 60}}"
    )
