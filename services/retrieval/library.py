"""The folders that an ensemble's steps search, indexed and kept up to date."""

import asyncio
import hashlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from services.config.steps import Retrieval
from services.config.tree import Embeddings, LoadedConfig, SpecialistsEnsemble
from services.core.deadline import Deadline
from services.core.errors import BackendError, DeadlineSpentError, InternalError
from services.models.embeddings import Embedder, open_embedder
from services.retrieval.fusion import fused
from services.retrieval.index import Found, Index

logger = logging.getLogger(__name__)

FIRST_INDEX_S: Final = 120.0
"""Longest time that the first reading of all folders may take at start; the rest is read with the
first questions."""
BATCH: Final = 32
DEPTH: Final = 40
"""Passages that each ranking contributes to the fusion."""

Result = TypeVar("Result")


class Shelf:
    """One folder and its index, on one thread."""

    def __init__(self, index: Index, thread: ThreadPoolExecutor, embedder: Embedder) -> None:
        self._index = index
        self._thread = thread
        self._embedder = embedder
        self._refreshing = asyncio.Lock()

    async def search(self, query: str, *, most: int, deadline: Deadline) -> list[Found]:
        """Passages for a query, best first: by words and by meaning, fused.

        What changed in the folder since the last search is read first.

        Raises
        ------
        DeadlineSpentError
            If the deadline passed first.
        InternalError
            If the folder or its index cannot be read, or the embedder fails.
        """
        try:
            await self.refresh(deadline=deadline)
            vectors = await self._embedder.embed([query], deadline=deadline)
            words = await self._run(self._index.by_words, query, DEPTH, deadline=deadline)
            near = await self._run(self._index.by_meaning, vectors[0], DEPTH, deadline=deadline)
            best = fused([words, near])[:most]
            return await self._run(self._index.passages, best, deadline=deadline)
        except TimeoutError as err:
            raise DeadlineSpentError("the folder was not searched in time") from err
        except BackendError as err:
            raise InternalError(f"the folder cannot be searched by meaning: {err}") from err

    async def refresh(self, *, deadline: Deadline) -> None:
        """Read what changed. What was read before the time was up stays.

        Raises
        ------
        TimeoutError
            If the deadline passed first.
        InternalError
            If the folder or its index cannot be read; the log says why.
        BackendError
            If the embedder fails.
        """
        async with asyncio.timeout(deadline.left_s), self._refreshing:
            stopped = threading.Event()
            try:
                go_on: Callable[[], bool] = lambda: not stopped.is_set()  # noqa: E731
                await self._run(partial(self._index.refresh, go_on=go_on), deadline=deadline)
                await self._embed_new(deadline)
            finally:
                stopped.set()

    async def _embed_new(self, deadline: Deadline) -> None:
        while new := await self._run(self._index.without_vector, BATCH, deadline=deadline):
            vectors = await self._embedder.embed([text for _, text in new], deadline=deadline)
            ids = [one for one, _ in new]
            await self._run(self._index.add_vectors, ids, vectors, deadline=deadline)

    async def _run(self, work: Callable[..., Result], *given: object, deadline: Deadline) -> Result:
        try:
            async with asyncio.timeout(deadline.left_s):
                call = partial(work, *given)
                return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except TimeoutError:
            raise
        except Exception as err:
            logger.exception("a folder's index failed")
            raise InternalError("the folder cannot be searched") from err


class Library:
    """All folders that the configuration names."""

    def __init__(self, shelves: dict[Retrieval, Shelf]) -> None:
        self._shelves = shelves

    async def search(self, where: Retrieval, query: str, *, deadline: Deadline) -> list[Found]:
        """Passages of one folder; see Shelf.search."""
        shelf = self._shelves[where]
        return await shelf.search(query, most=where.passages, deadline=deadline)


@asynccontextmanager
async def open_library(loaded: LoadedConfig) -> AsyncIterator[Library]:
    """Open the index of every folder that a step searches, and read what changed.

    Without such a step nothing is opened and no embedding model is loaded.

    Raises
    ------
    BackendError
        If the embedding model is not there, or a folder's index cannot be used.
    """
    wanted = retrievals(loaded)
    if not wanted:
        yield Library({})
        return
    with ThreadPoolExecutor(1, thread_name_prefix="retrieval") as thread:
        async with open_embedder(loaded) as embedder:
            indices = [await asyncio.to_thread(_opened, loaded, one) for one in wanted]
            try:
                shelves = {
                    one: Shelf(index, thread, embedder)
                    for one, index in zip(wanted, indices, strict=True)
                }
                await _read_all(list(shelves.values()))
                yield Library(shelves)
            finally:
                for index in indices:
                    thread.submit(index.close)


def retrievals(loaded: LoadedConfig) -> list[Retrieval]:
    """Every search that a step of the configuration makes, each once."""
    ensembles = loaded.config.ensembles.values()
    graphs = [e for e in ensembles if isinstance(e, SpecialistsEnsemble)]
    steps = [step for graph in graphs for step in graph.steps.values()]
    return list(dict.fromkeys(step.retrieval for step in steps if step.retrieval))


async def _read_all(shelves: Sequence[Shelf]) -> None:
    """Read all folders at start, as far as the time allows."""
    deadline = Deadline.after(FIRST_INDEX_S)
    for shelf in shelves:
        try:
            await shelf.refresh(deadline=deadline)
        except (TimeoutError, BackendError, InternalError):
            logger.warning("a folder was not read at start; the first search goes on with it")


def _opened(loaded: LoadedConfig, where: Retrieval) -> Index:
    """The index of a folder, in `.gremium/retrieval` beside the configuration."""
    folder = loaded.resolve(where.folder)
    digest = hashlib.sha256(repr((str(folder), where.files)).encode()).hexdigest()[:16]
    path: Path = loaded.resolve(f".gremium/retrieval/{digest}.sqlite")
    name = _embedder_name(loaded.config.embeddings)
    return Index(path, folder=folder, patterns=where.files, embedder=name)


def _embedder_name(spec: Embeddings) -> str:
    """What made the vectors; those of another maker cannot be compared."""
    return f"{spec.backend} {spec.base_url} {spec.model}"
