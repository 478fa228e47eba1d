"""The folders that an ensemble's steps search, indexed and kept up to date."""

import asyncio
import hashlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from services.config.steps import Retrieval
from services.config.tree import Embeddings, LoadedConfig, SpecialistsEnsemble
from services.core.deadline import Deadline
from services.core.errors import (
    BackendError,
    DeadlineSpentError,
    GremiumError,
    InternalError,
    InvalidPlanError,
)
from services.models.embeddings import Embedder, open_embedder
from services.retrieval.folder import why
from services.retrieval.fusion import fused
from services.retrieval.index import Found, Index

logger = logging.getLogger(__name__)

FIRST_INDEX_S: Final = 3600.0
"""Longest time that the first reading of all folders goes on beside the requests."""
CATCH_UP_S: Final = 10.0
CATCH_UP_SHARE: Final = 0.5
"""Longest wait of a search, and share of its time, for the vectors of new passages."""
BATCH: Final = 8
"""Passages that get their vectors at once: a query waits for no more than these."""
DEPTH: Final = 40
"""Passages that each ranking contributes to the fusion."""

Result = TypeVar("Result")


class Shelf:
    """One folder and its index, on one thread."""

    def __init__(
        self, name: str, index: Index, thread: ThreadPoolExecutor, embedder: Embedder
    ) -> None:
        self._name = name
        """Of the folder, as the configuration has it: callers see it."""
        self._index = index
        self._thread = thread
        self._embedder = embedder
        self._reading = asyncio.Lock()
        self._embedding = asyncio.Lock()

    async def search(self, query: str, *, most: int, deadline: Deadline) -> list[Found]:
        """Passages for a query, best first: by words and by meaning, fused.

        What changed in the folder since the last search is read first. What has no
        vector after a short wait is found by its words alone.

        Raises
        ------
        DeadlineSpentError
            If the deadline passed first.
        InvalidPlanError
            If there is no such folder, or it cannot be read.
        BackendError
            If the embedder fails.
        InternalError
            If the folder's index cannot be used; the log says why.
        """
        try:
            await self.read(deadline=deadline)
            with suppress(TimeoutError):  # the rest is found by its words until it has vectors
                catch_up_s = min(CATCH_UP_S, deadline.left_s * CATCH_UP_SHARE)
                await self.embed_new(deadline=deadline.within(catch_up_s))
            vectors = await self._embedder.embed([query], deadline=deadline)
            words = await self._run(self._index.by_words, query, DEPTH, deadline=deadline)
            near = await self._run(self._index.by_meaning, vectors[0], DEPTH, deadline=deadline)
            best = fused([words, near])[:most]
            return await self._run(self._index.passages, best, deadline=deadline)
        except TimeoutError as err:
            raise DeadlineSpentError(f"the folder {self._name} was not searched in time") from err
        except BackendError as err:
            text = f"the folder {self._name} cannot be searched by meaning: {err}"
            raise BackendError(text, cause=err.cause, retry_after_s=err.retry_after_s) from err

    async def read(self, *, deadline: Deadline) -> None:
        """Read the files that changed. What was read before the time was up stays.

        Raises
        ------
        TimeoutError
            If the deadline passed first.
        InvalidPlanError
            If there is no such folder, or it cannot be read.
        InternalError
            If the index cannot be used; the log says why.
        """
        async with asyncio.timeout(deadline.left_s), self._reading:
            stopped = threading.Event()
            try:
                go_on: Callable[[], bool] = lambda: not stopped.is_set()  # noqa: E731
                await self._run(partial(self._index.refresh, go_on=go_on), deadline=deadline)
            finally:
                stopped.set()

    async def embed_new(self, *, deadline: Deadline) -> None:
        """Give a vector to every passage that has none yet; those that have one keep it.

        Raises
        ------
        TimeoutError
            If the deadline passed first.
        InternalError
            If the index cannot be used.
        BackendError
            If the embedder fails.
        """
        async with asyncio.timeout(deadline.left_s), self._embedding:
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
        except OSError as err:
            text = f"the folder {self._name} cannot be searched: {why(err)}"
            raise InvalidPlanError(text, folder=self._name) from err
        except Exception as err:
            logger.exception("the index of %s failed", self._name)
            raise InternalError(f"the folder {self._name} cannot be searched") from err


class Shelves:
    """All folders that the configuration names."""

    def __init__(self, shelves: dict[Retrieval, Shelf]) -> None:
        self._shelves = shelves

    async def search(self, where: Retrieval, query: str, *, deadline: Deadline) -> list[Found]:
        """Passages of one folder; see Shelf.search."""
        shelf = self._shelves[where]
        return await shelf.search(query, most=where.passages, deadline=deadline)


@asynccontextmanager
async def open_shelves(loaded: LoadedConfig) -> AsyncIterator[Shelves]:
    """Open the index of every folder that a step searches, and begin to read what changed.

    Without such a step nothing is opened and no embedding model is loaded.

    Raises
    ------
    BackendError
        If the embedding model is not there, or a folder's index cannot be used.
    """
    wanted = retrievals(loaded)
    if not wanted:
        yield Shelves({})
        return
    with ThreadPoolExecutor(1, thread_name_prefix="retrieval") as thread:
        async with open_embedder(loaded) as embedder:
            indices = [await asyncio.to_thread(_opened, loaded, one) for one in wanted]
            shelves = [
                Shelf(where.folder, index, thread, embedder)
                for where, index in zip(wanted, indices, strict=True)
            ]
            reading = asyncio.create_task(_read_all(shelves))
            try:
                yield Shelves(dict(zip(wanted, shelves, strict=True)))
            finally:
                reading.cancel()
                await asyncio.wait([reading])
                for index in indices:
                    thread.submit(index.close)


def retrievals(loaded: LoadedConfig) -> list[Retrieval]:
    """Every search that a step of the configuration makes, each once."""
    ensembles = loaded.config.ensembles.values()
    graphs = [e for e in ensembles if isinstance(e, SpecialistsEnsemble)]
    return list(dict.fromkeys(where for graph in graphs for where in graph.searches))


async def _read_all(shelves: Sequence[Shelf]) -> None:
    """Read all folders from the start on, beside the requests."""
    deadline = Deadline.after(FIRST_INDEX_S)
    for shelf in shelves:
        try:
            await shelf.read(deadline=deadline)
            await shelf.embed_new(deadline=deadline)
        except GremiumError as err:
            logger.warning("%s; the next search tries again", err)
        except TimeoutError:
            logger.warning("a folder was not read at start; searches go on with it")


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
