"""What is kept of a prompt so that a router can be trained from the ledger. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.routing.dedupe import text_key
from services.routing.features import Seen

SCALE: Final = 127.0
"""Of a unit vector's numbers as signed bytes."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A prompt without its text."""

    values: tuple[float, ...]
    """As `services.routing.features` counts them."""
    question_digest: str
    vector: bytes
    """Signed bytes; empty: not kept, or it could not be embedded."""
    embedding: str
    """What made the vector; empty without one."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Keeps as much as the configuration says."""

    what: Literal["nothing", "features", "embedding"]
    embedding: str
    """Backend and model of the embedding."""

    @property
    def keeps_vectors(self) -> bool:
        return self.what == "embedding"

    def key(self, question: str) -> str:
        """Digest of a question; empty where nothing is kept."""
        return "" if self.what == "nothing" else text_key(question)

    def recorded(self, seen: Seen, key: str, vector: NDArray[np.float32] | None) -> Recorded | None:
        if self.what == "nothing":
            return None
        kept = as_bytes(vector) if self.keeps_vectors and vector is not None else b""
        return Recorded(tuple(map(float, seen.features)), key, kept, self.embedding if kept else "")


def as_bytes(vector: NDArray[np.float32]) -> bytes:
    """A unit vector as signed bytes; empty where it is zero or no number.

    Examples
    --------
    >>> list(as_bytes(np.array([0.0, 1.0], dtype=np.float32)))
    [0, 127]
    """
    if not np.isfinite(vector).all() or not vector.any():
        return b""
    kept: bytes = np.rint(np.clip(vector, -1.0, 1.0) * SCALE).astype(np.int8).tobytes()
    return kept


NOT_RECORDED: Final = Recorder("nothing", "")
