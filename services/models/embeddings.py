"""What turns texts into vectors: MiniLM on this CPU, an API, or the words alone."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.config.tree import Embeddings, LoadedConfig
from services.core.deadline import Deadline
from services.models.minilm import MiniLM
from services.models.reading import items
from services.models.settings import secret
from services.models.words import word_vectors

if TYPE_CHECKING:
    from services.models.endpoint import Endpoint

MAX_BATCH: Final = 256


class Embedder(Protocol):
    """Texts in, vectors out. Safe for concurrent calls."""

    async def embed(self, texts: Sequence[str], *, deadline: Deadline) -> NDArray[np.float32]:
        """Vectors of n texts, shape (n, d); rows have unit length, or are zero for blank texts.

        Raises
        ------
        TimeoutError
            If the deadline passed first.
        BackendError
            If the embedding model fails.
        """
        ...


@asynccontextmanager
async def open_embedder(loaded: LoadedConfig) -> AsyncIterator[Embedder]:
    """Open what the configuration names until the block ends.

    Raises
    ------
    BackendError
        If the built-in weights are missing or wrong.
    """
    spec = loaded.config.embeddings
    match spec.backend:
        case "minilm":
            model = await asyncio.to_thread(MiniLM)
            with ThreadPoolExecutor(1, thread_name_prefix="minilm") as thread:
                yield MiniLMEmbedder(model, thread)
        case "openai":
            async with _open_endpoint(spec) as endpoint:
                yield OpenAIEmbedder(endpoint, spec)
        case "none":
            yield WordEmbedder()


@asynccontextmanager
async def _open_endpoint(spec: Embeddings) -> AsyncIterator["Endpoint"]:
    # aiohttp takes a tenth of a service's start, and few services call an API.
    from services.models import openai  # noqa: PLC0415
    from services.models.endpoint import Endpoint, open_session  # noqa: PLC0415

    key = secret(spec.api_key_env)
    async with open_session() as session:
        yield Endpoint(
            session,
            spec.base_url or openai.API,
            headers=openai.headers(key),
            key=key,
            key_variable=spec.api_key_env,
        )


class MiniLMEmbedder:
    """Computes on one thread, so that the event loop stays free and cores are shared fairly."""

    def __init__(self, model: MiniLM, thread: ThreadPoolExecutor) -> None:
        self._model = model
        self._thread = thread

    async def embed(self, texts: Sequence[str], *, deadline: Deadline) -> NDArray[np.float32]:
        stopped = threading.Event()
        compute = partial(self._model.embed, texts, go_on=lambda: not stopped.is_set())
        try:
            async with asyncio.timeout(deadline.left_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, compute)
        finally:
            stopped.set()


class OpenAIEmbedder:
    """An OpenAI-compatible `/embeddings`."""

    def __init__(self, endpoint: "Endpoint", spec: Embeddings) -> None:
        self._endpoint = endpoint
        self._spec = spec

    async def embed(self, texts: Sequence[str], *, deadline: Deadline) -> NDArray[np.float32]:
        told = [i for i, text in enumerate(texts) if text.strip()]
        if not told:
            return np.zeros((len(texts), 1), dtype=np.float32)
        until = deadline.within(self._spec.timeout_s)
        rows = [
            row
            for start in range(0, len(told), MAX_BATCH)
            for row in await self._batch([texts[i] for i in told[start : start + MAX_BATCH]], until)
        ]
        found = self._checked(rows)
        vectors = np.zeros((len(texts), found.shape[1]), dtype=np.float32)
        vectors[told] = found
        return vectors

    async def _batch(self, texts: list[str], until: Deadline) -> list[Any]:
        """Vectors of some texts, in their order."""
        body = {"model": self._spec.model, "input": texts, "encoding_format": "float"}
        reply = await self._endpoint.post("/embeddings", body, deadline=until)
        data = items(reply.get("data"))
        if len(data) != len(texts):
            raise self._endpoint.invalid(f"{len(texts)} texts gave {len(data)} vectors")
        in_order = sorted(enumerate(data), key=lambda pair: pair[1].get("index", pair[0]))
        return [item.get("embedding") for _, item in in_order]

    def _checked(self, rows: list[Any]) -> NDArray[np.float32]:
        """The vectors as unit rows."""
        try:
            vectors = np.array(rows, dtype=np.float32)
        except (TypeError, ValueError) as err:
            raise self._endpoint.invalid("its vectors are no numbers, or differ in length") from err
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise self._endpoint.invalid("its vectors are no finite numbers of one length")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)


class WordEmbedder:
    """Compares texts by their words."""

    async def embed(self, texts: Sequence[str], *, deadline: Deadline) -> NDArray[np.float32]:
        del deadline
        return word_vectors(texts)
