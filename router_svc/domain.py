"""Which field of knowledge a prompt belongs to: the nearest example's. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Match:
    """The domain of a prompt."""

    domain: str
    """Name; empty when no example is near enough."""
    similarity: float
    """Cosine similarity to the nearest example, in [-1, 1]."""


NO_MATCH: Final = Match("", 0.0)

MIN_LEAD: Final = 0.08
"""How much nearer the nearest domain must be than the second."""


def nearest_domain(
    vector: NDArray[np.float32],
    examples: NDArray[np.float32],
    domains: Sequence[str],
    *,
    min_similarity: float,
) -> Match:
    """Find the domain whose nearest example is nearest to a prompt.

    Parameters
    ----------
    vector : ndarray of float32, shape (d,)
        Embedding of the prompt, of length one or all zero.
    examples : ndarray of float32, shape (n, d)
        Embeddings of the examples, rows of length one or all zero.
    domains : sequence of str, length n
        Domain of each example. An empty name is an example of no domain: a
        prompt nearest to it has none.
    min_similarity : float
        Cosine below which nothing counts as near, in [-1, 1].

    Returns
    -------
    Match
        The domain, and its similarity; of equally near examples the first.

    Raises
    ------
    ValueError
        If the shapes do not match, or a number is not finite.

    Notes
    -----
    A domain must also lead: an embedder that knows a language badly finds all
    its texts alike, and then the nearest example means nothing. With MiniLM,
    which reads English, a lead of 0.08 left 28 of 37 English prompts and 7 of
    32 others in their domain, and 2 and 0 prompts in a wrong one (without it
    24 of the others).

    One nearest neighbour [1]_ needs no fitting and follows the configuration
    exactly: adding an example can only draw prompts like it. O(n d).

    References
    ----------
    .. [1] T. Cover, P. Hart. Nearest neighbor pattern classification. IEEE
       Transactions on Information Theory 13(1), 1967.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    >>> nearest_domain(rows[1], rows, ["code", "legal"], min_similarity=0.5)
    Match(domain='legal', similarity=1.0)
    """
    if vector.shape != examples.shape[1:] or len(domains) != len(examples):
        raise ValueError(
            f"vector {vector.shape}, examples {examples.shape} and {len(domains)} domains must match"
        )
    if not (np.isfinite(vector).all() and np.isfinite(examples).all()):
        raise ValueError("embeddings must be finite")
    if not domains or not vector.any():
        return NO_MATCH

    cosines = np.clip(examples @ vector, -1.0, 1.0)
    best = int(np.argmax(cosines))
    similarity = float(cosines[best])
    others = cosines[np.array([domain != domains[best] for domain in domains])]
    leads = similarity - others.max(initial=-1.0) >= MIN_LEAD
    return Match(domains[best] if leads and similarity >= min_similarity else "", similarity)
