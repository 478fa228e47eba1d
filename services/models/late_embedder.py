"""An embedder that is opened when it is first of use: most processes never embed."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import numpy as np
from numpy.typing import NDArray

from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.models.embeddings import Embedder, open_embedder


class LateEmbedder:
    """What the configuration names, opened at most once; closed with the stack that it is given."""

    def __init__(self, loaded: LoadedConfig, opened: AsyncExitStack) -> None:
        self._loaded = loaded
        self._opened = opened
        self._opening = asyncio.Lock()
        self._embedder: Embedder | None = None

    async def open(self) -> Embedder:
        """Have it ready; of use where the first who asks should not wait for that.

        Raises
        ------
        BackendError
            If the built-in weights are missing or wrong.
        """
        async with self._opening:
            if self._embedder is None:
                self._embedder = await self._opened.enter_async_context(open_embedder(self._loaded))
        return self._embedder

    async def embed(self, texts: Sequence[str], *, deadline: Deadline) -> NDArray[np.float32]:
        embedder = self._embedder or await self.open()
        return await embedder.embed(texts, deadline=deadline)
