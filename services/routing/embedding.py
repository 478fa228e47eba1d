"""Embeds many texts, in parts that are kept: what was stopped goes on where it was."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.deadline import Deadline
from services.models.embeddings import Embedder
from services.routing.features import excerpt
from services.routing.vector_cache import VectorCache, digest_of

PART: Final = 64
"""Texts that a stop costs."""
PART_S: Final = 120.0
"""Longest time for one part."""

Tell = Callable[[int, int, float], None]
"""Is told texts that are done, texts in all, and seconds so far."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Vectors of texts, and what they took."""

    vectors: NDArray[np.float32]
    """Shape (n, d)."""
    n_computed: int
    """Texts that were not kept from before; the same text counts once."""
    seconds: float


async def embedded(
    texts: Sequence[str], embedder: Embedder, cache: VectorCache, tell: Tell
) -> Embedded:
    """Vectors of texts, computed where they are not kept, and kept then.

    Raises
    ------
    TimeoutError
        If a part took longer than `PART_S`.
    BackendError
        If the embedding model fails.
    VectorCacheError
        If the file of vectors cannot be used.
    """
    cut = [excerpt(text) for text in texts]
    digests = [digest_of(text) for text in cut]
    known, began_s = cache.read(), time.monotonic()
    missing = {d: text for d, text in zip(digests, cut, strict=True) if d not in known}
    ordered = sorted(missing, key=lambda d: len(missing[d]))
    for start in range(0, len(ordered), PART):
        part = ordered[start : start + PART]
        deadline = Deadline.after(PART_S)
        found = await embedder.embed([missing[d] for d in part], deadline=deadline)
        cache.add(part, found)
        known.update(zip(part, found, strict=True))
        tell(start + len(part), len(ordered), time.monotonic() - began_s)
    vectors = np.array([known[d] for d in digests], dtype=np.float32)
    return Embedded(vectors, len(ordered), time.monotonic() - began_s)
