"""How like a prompt is to those a router was trained on, in meaning, making and words. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Floats, Words


def likeness(
    cosines: Floats, features: Floats, known: Floats, *, width: float, of_features: float
) -> Floats:
    """Gaussian kernel of prompts and known prompts, shape (n, known).

    Parameters
    ----------
    cosines : ndarray of float, shape (n, known)
        Of their unit vectors.
    features, known : ndarray of float, shape (n, k) and (known, k)
        Scaled.

    Notes
    -----
    In place as far as it goes: of ten thousand prompts it is 120 MB a copy.

    Examples
    --------
    >>> one = np.array([[1.0]])
    >>> likeness(one, np.zeros((1, 2)), np.zeros((1, 2)), width=1.0, of_features=0.2).tolist()
    [[1.0]]
    """
    found: Floats = 2.0 * of_features**2 * features @ known.T
    found -= of_features**2 * (features**2).sum(axis=1)[:, np.newaxis]
    found -= of_features**2 * (known**2).sum(axis=1) + 2.0
    found += 2.0 * cosines
    found *= width
    np.minimum(found, 0.0, out=found)
    return np.exp(found, out=found)


def by_words(table: NDArray[Any], words: Sequence[Words], rarity: Floats) -> Floats:
    """What the words of texts add to each of r sums, shape (n, r).

    Parameters
    ----------
    table : ndarray, shape (r, BUCKETS)
        What each word adds.
    rarity : ndarray of float, shape (BUCKETS,) or (0,)
        What a word weighs for being rare; empty: words add nothing.
    """
    if not rarity.size:
        return np.zeros((len(words), len(table)))
    found = [table[:, w.places] @ word_weights(w, rarity) for w in words]
    return np.array(found, dtype=np.float64).reshape(len(words), len(table))


def word_weights(words: Words, rarity: Floats) -> Floats:
    """What each word of a text counts: log-frequency times rarity, of unit length together."""
    weighed = (1.0 + np.log(words.counts.astype(np.float64))) * rarity[words.places]
    size = float(np.linalg.norm(weighed))
    return weighed / size if size > 0.0 else weighed


def unit_rows(vectors: NDArray[np.int8]) -> NDArray[np.float32]:
    """Kept vectors, brought back to unit length."""
    exact = vectors.astype(np.float32)
    sizes = np.linalg.norm(exact, axis=1, keepdims=True)
    found: NDArray[np.float32] = exact / np.maximum(sizes, np.float32(1.0))
    return found
