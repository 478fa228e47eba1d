"""Which texts are the same text: normalised, then hashed. Pure."""

import hashlib
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def text_key(text: str) -> str:
    """Digest of a text that case, spaces, punctuation and compatible signs do not change.

    Examples
    --------
    >>> text_key("What is 6 x 7?") == text_key(" what is  6 X 7 ")
    True
    >>> text_key("What is 6 x 7?") == text_key("What is 67 x?")
    False
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(" " if _is_mark(char) else char for char in folded)
    return hashlib.sha256(" ".join(kept.split()).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_mark(char: str) -> bool:
    """Whether a sign only separates; signs of arithmetic mean something and stay."""
    return unicodedata.category(char) in {"Po", "Ps", "Pe", "Pi", "Pf"} and char not in "%*/#@&"


def unseen(train: Sequence[str], test: Sequence[str]) -> NDArray[np.bool_]:
    """Which keys of the test rows are not among those of the training rows."""
    known = set(train)
    return np.array([key not in known for key in test], dtype=bool)


def grouped_folds(keys: Sequence[str], *, parts: int, seed: int) -> NDArray[np.intp]:
    """A fold of each row, at random; rows of one key share theirs."""
    unique = sorted(set(keys))
    rng = np.random.default_rng(seed)
    fold = dict(zip(unique, rng.permutation(len(unique)) % parts, strict=True))
    return np.array([fold[key] for key in keys], dtype=np.intp)
