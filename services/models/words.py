"""Vectors of words: comparing texts without a model."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.stretches import stretches

DIMENSIONS: Final = 1024
WORD: Final = re.compile(r"\w{1,64}")
"""Longer ones are parted, so that those that are remembered take little room."""
UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese, Korean."""


def word_vectors(texts: Sequence[str], *, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """Hash the words of texts into vectors.

    Parameters
    ----------
    texts : sequence of str
        n texts in any language. Scripts without spaces between words count by
        pairs of neighbouring characters.
    dimensions : int
        Length of a vector, >= 1.

    Returns
    -------
    ndarray of float32, shape (n, dimensions)
        Rows of unit length; a text without a word has a row of zeros.

    Notes
    -----
    Feature hashing with a sign per word [1]_, so that collisions cancel out on
    average. Counts are damped by their square root. O(characters).

    References
    ----------
    .. [1] K. Weinberger et al. Feature Hashing for Large Scale Multitask
       Learning. arXiv:0902.2206, 2009.

    Examples
    --------
    >>> same, other = word_vectors(["red apple", "apple, red!"]), word_vectors(["blue sky"])
    >>> bool(same[0] @ same[1] > 0.999), bool(same[0] @ other[0] < 0.1)
    (True, True)
    """
    vectors = np.zeros((len(texts), dimensions), dtype=np.float32)
    for row, text in enumerate(texts):
        for word, times in Counter(_words(text)).items():
            place, sign = _place(word, dimensions)
            vectors[row, place] += sign * times**0.5
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)


def _words(text: str) -> Iterator[str]:
    for folded in map(str.casefold, stretches(text)):
        for run in UNSPACED.findall(folded):
            yield from (run[i : i + 2] for i in range(max(1, len(run) - 1)))
        yield from WORD.findall(UNSPACED.sub(" ", folded))


@lru_cache(maxsize=65536)
def _place(word: str, dimensions: int) -> tuple[int, float]:
    number = int.from_bytes(
        hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    )
    return (number >> 1) % dimensions, 1.0 if number & 1 else -1.0
