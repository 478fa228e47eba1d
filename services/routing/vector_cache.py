"""Keeps embeddings by digest of their text, so that embedding many may stop and go on.

One file for each embedding: its head, then records of a digest and a vector. A record that was cut
off by a crash is overwritten.
"""

import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

HEAD: Final = struct.Struct("<4sI")
MAGIC: Final = b"GRV1"
DIGEST_BYTES: Final = 16
MAX_DIM: Final = 8192


class VectorCacheError(ValueError):
    """A file of embeddings that is none; tells file and what is wrong."""


@dataclass(frozen=True, slots=True)
class VectorCache:
    """Embeddings of one model."""

    path: Path

    def read(self) -> dict[bytes, NDArray[np.float32]]:
        """Vectors by digest; empty where nothing was kept yet.

        Raises
        ------
        VectorCacheError
            If the file cannot be read, or is another program's.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as err:
            raise VectorCacheError(f"{self.path}: cannot be read: {err.strerror}") from err
        if len(content) < HEAD.size:
            return {}
        kind = _record(_dim(self.path, content[: HEAD.size]))
        whole = (len(content) - HEAD.size) // kind.itemsize
        table = np.frombuffer(content, dtype=kind, count=whole, offset=HEAD.size)
        return dict(zip((bytes(d) for d in table["digest"]), table["vector"], strict=True))

    def add(self, digests: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Append vectors, shape (n, d).

        Raises
        ------
        VectorCacheError
            If the file holds vectors of another length.
        OSError
            If it cannot be written.
        """
        table = np.zeros(len(digests), dtype=_record(vectors.shape[1]))
        table["digest"] = np.frombuffer(b"".join(digests), dtype=f"V{DIGEST_BYTES}")
        table["vector"] = vectors
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            file.seek(0)
            head = file.read(HEAD.size)
            if len(head) < HEAD.size:
                file.truncate(0)
                file.write(HEAD.pack(MAGIC, vectors.shape[1]))
            elif _dim(self.path, head) != vectors.shape[1]:
                held = f"holds vectors of {_dim(self.path, head)} numbers"
                raise VectorCacheError(f"{self.path}: {held}; these have {vectors.shape[1]}")
            file.truncate(_whole_bytes(file.seek(0, 2), table.dtype.itemsize))
            file.write(table.tobytes())


def cache_in(folder: Path, embedding: str) -> VectorCache:
    """The one for an embedding, by backend and model."""
    return VectorCache(folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', embedding)}.vectors")


def digest_of(text: str) -> bytes:
    """Of a text as it is embedded."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:DIGEST_BYTES]


def _record(dim: int) -> "np.dtype[np.void]":
    return np.dtype([("digest", f"V{DIGEST_BYTES}"), ("vector", "<f4", (dim,))])


def _dim(path: Path, head: bytes) -> int:
    magic, dim = HEAD.unpack(head)
    if magic != MAGIC or not 1 <= dim <= MAX_DIM:
        raise VectorCacheError(f"{path}: is no file of embeddings; remove it, or name another")
    return int(dim)


def _whole_bytes(size: int, record: int) -> int:
    """Bytes up to the end of the last whole record."""
    return HEAD.size + (size - HEAD.size) // record * record
