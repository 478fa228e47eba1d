"""Labelled rows for `gremium router`: from a file or the ledger, embedded, with what to know of them."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

from services.cli.progress import Progress
from services.cli.words import counted
from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.ledger.reported import shadows_by_request
from services.ledger.routed import answered
from services.models.embeddings import Embedder, open_embedder
from services.routing.artefact import Embedding
from services.routing.configured import embedding_model, embedding_name, shelf_of
from services.routing.embedding import PART, PART_S, embedded
from services.routing.recorded import rows_of_ledger
from services.routing.rows import Rows, RowsError, read_rows
from services.routing.vector_cache import VectorCacheError, cache_in

TELL_S = 5.0
"""Time between two lines on how far embedding has come."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where labelled rows come from: one of the two."""

    path: Path | None
    from_ledger: bool
    ensembles: tuple[str, ...] = ()
    """Of the ledger only these; empty: all."""

    def check(self) -> None:
        """Refuse both at once, or neither."""
        if (self.path is None) == (not self.from_ledger):
            raise click.UsageError("needs either --from FILE or --from-ledger")
        if self.ensembles and not self.from_ledger:
            raise click.UsageError("--ensemble is of use with --from-ledger alone")


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Rows that are embedded."""

    rows: Rows
    embedding: Embedding
    notes: list[str] = field(default_factory=list)
    """What a person should know of them."""
    n_embedded: int = 0
    """Texts that were embedded now; the others were kept from before."""
    embedding_s: float = 0.0


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say where labelled rows come from."""
    for option in (
        click.option(
            "--ensemble",
            "ensembles",
            multiple=True,
            help="With --from-ledger: only this ensemble; repeatable.",
        ),
        click.option(
            "--from-ledger",
            is_flag=True,
            help="Recorded requests that feedback or a judge tells of instead, and their shadows.",
        ),
        click.option(
            "--from",
            "path",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Labelled outcomes, one JSON object a line.",
        ),
    ):
        command = option(command)
    return command


def pair_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say between which two models is chosen."""
    strong = click.option(
        "--strong", default="", help="Model that is good; with --weak. Unset: the best."
    )
    weak = click.option(
        "--weak", default="", help="Model that is cheap; with --strong. Unset: the worst."
    )
    return weak(strong(command))


def pair_of(weak: str, strong: str) -> tuple[str, str] | None:
    """Both, or neither."""
    if bool(weak) != bool(strong):
        raise click.UsageError("--weak and --strong belong together")
    return (weak, strong) if weak else None


def need_scipy() -> None:
    if importlib.util.find_spec("scipy") is None:
        raise click.ClickException("needs scipy: pip install 'gremium[calibrate]'")


def need_matplotlib() -> None:
    if importlib.util.find_spec("matplotlib") is None:
        raise click.ClickException("needs matplotlib: pip install 'gremium[charts]'")


async def gathered(source: Source, loaded: LoadedConfig, progress: Progress) -> Gathered:
    """Read rows, and embed those that bring no vector.

    Raises
    ------
    click.ClickException
        If there are no rows, they cannot be read, or cannot be embedded.
    LedgerError
        If the ledger cannot be read.
    """
    try:
        rows, notes = _rows(source, loaded)
        return await _embedded(rows, notes, loaded, progress)
    except (RowsError, VectorCacheError) as err:
        raise click.ClickException(str(err)) from err
    except TimeoutError as err:
        slow = f"embedding {PART} texts took longer than {PART_S:g} s"
        raise click.ClickException(f"{slow}; what was done is kept, so start it again") from err


def _rows(source: Source, loaded: LoadedConfig) -> tuple[Rows, list[str]]:
    if source.path is not None:
        return read_rows(source.path), []
    ledger = loaded.resolve(loaded.config.ledger.path)
    found = rows_of_ledger(
        answered(ledger),
        embedding=embedding_name(loaded.config.embeddings),
        ensembles=source.ensembles,
        shadows=shadows_by_request(ledger, source.ensembles),
    )
    notes = [
        f"{counted(n, 'request')} left out: {why}" for why, n in sorted(found.left_out.items())
    ]
    if not found.has_vectors:
        notes.append(
            "no embedding was recorded (`router.record: embedding`): only how prompts are made can"
            " be learned from, not what they are about"
        )
    return found.rows, notes


async def _embedded(
    rows: Rows, notes: list[str], loaded: LoadedConfig, progress: Progress
) -> Gathered:
    used = loaded.config.embeddings
    missing = [i for i, text in enumerate(rows.texts) if text and not _has_vector(rows, i)]
    texts = [rows.texts[i] for i in missing]
    dim = rows.vectors.shape[1]
    if dim and not missing:
        return Gathered(rows, Embedding(used.backend, embedding_model(used), dim), notes)
    async with open_embedder(loaded) as embedder:
        cache = cache_in(shelf_of(loaded).folder / "vectors", embedding_name(used))
        found = await embedded(texts, embedder, cache, _telling(progress))
        width = found.vectors.shape[1] if texts else await _width(embedder)
    if dim and dim != width:
        given = f"vectors of the file have {dim} numbers"
        raise RowsError(f"{given}; `embeddings` of the configuration gives {width}")
    vectors = np.zeros((len(rows), width), dtype=np.float32)
    vectors[:, :dim] = rows.vectors
    vectors[missing] = found.vectors.reshape(len(missing), width)
    embedding = Embedding(used.backend, embedding_model(used), width)
    return Gathered(rows.embedded(vectors), embedding, notes, found.n_computed, found.seconds)


def _has_vector(rows: Rows, i: int) -> bool:
    return bool(rows.vectors.shape[1] and rows.vectors[i].any())


async def _width(embedder: Embedder) -> int:
    """Numbers in a vector of the configured embedding."""
    return int((await embedder.embed(["one"], deadline=Deadline.after(PART_S))).shape[1])


def _telling(progress: Progress) -> Callable[[int, int, float], None]:
    told_s = 0.0

    def tell(done: int, everything: int, seconds: float) -> None:
        nonlocal told_s
        if seconds - told_s < TELL_S and done < everything:
            return
        told_s, pace = seconds, done / max(seconds, 1e-9)
        left = f", {(everything - done) / pace:.0f} s left" if done < everything else ""
        progress.say(f"embedded {done} of {everything} texts, {pace:.0f} a second{left}")

    return tell
