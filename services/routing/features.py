"""What of a prompt a learned router goes by besides its embedding: numbers and hashed words. Pure."""

import math
import re
import unicodedata
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.prompts import Message, Prompt
from services.core.tokens import text_tokens

FEATURE_VERSION: Final = 1
"""Rises with every change of what `seen` returns: an artefact of another version is refused."""
FEATURES: Final = (
    "length",
    "lines",
    "word_count",
    "word_length",
    "digits",
    "numerals",
    "operators",
    "capitals",
    "code",
    "questions",
    "constraints",
    "listed",
    "other_scripts",
    "wants_labels",
    "wants_number",
    "wants_json",
    "tools",
    "context",
    "turns",
)
BUCKETS: Final = 16_384
"""Hashed words and pairs of words share this many places."""
HEAD_CHARS: Final = 12_000
TAIL_CHARS: Final = 4_000
"""Of a longer question only its beginning and its end are read."""
MAX_EMBEDDED_CHARS: Final = 2_000
"""The embedder reads a few hundred tokens; the end of a long prompt says what is asked."""

WORD: Final = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")
LETTERS: Final = re.compile(r"[^\W\d_]+")
NUMERAL: Final = re.compile(r"\d+(?:[.,]\d+)*")
OPERATOR: Final = re.compile(r"[-+*/^=<>≤≥≠√∑∫×÷±]")  # noqa: RUF001 - the sign of multiplication
CODE: Final = re.compile(
    r"```|~~~|[{};]\s*$|^[^\S\n]*(?:def|class|import|#include|return)\b", re.MULTILINE
)
CONSTRAINT: Final = re.compile(
    r"\b(?:must|exactly|only|at (?:least|most)|no more than|never|without|except|not)\b",
    re.IGNORECASE,
)
LISTED: Final = re.compile(r"^[^\S\n]*(?:[-*•]|\(?(?:\d{1,2}|[A-Za-z])[.)])\s", re.MULTILINE)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Words:
    """Words and pairs of words of a text, hashed."""

    places: NDArray[np.int32]
    """Ascending, without repetition, in [0, BUCKETS)."""
    counts: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a learned router knows of a prompt."""

    vector: NDArray[np.float32] | None
    """Embedding of its question, of unit length; None: it could not be embedded."""
    features: Floats
    """Shape (k,), in the order of `FEATURES`."""
    words: Words
    domain: str = ""
    """As the caller or the configuration names it; empty: unknown."""


def seen(prompt: Prompt, vector: NDArray[np.float32] | None, *, domain: str = "") -> Seen:
    """What is known of a prompt before any model is asked."""
    return Seen(vector, features(prompt), words(prompt.question), domain)


def of_text(text: str) -> Prompt:
    """A prompt that is nothing but one question."""
    return Prompt((Message("user", (text,)),))


def features(prompt: Prompt) -> Floats:
    """Numbers that tell how a prompt is made, whatever it is about.

    Returns
    -------
    ndarray of float64, shape (k,)
        In the order of `FEATURES`; counts and lengths as log(1 + count), shares
        in [0, 1]. Finite for every prompt.

    Examples
    --------
    >>> found = features(of_text("What is 6 x 7?"))
    >>> round(float(found[FEATURES.index("numerals")]), 3)
    1.099
    """
    question = sample(prompt.question)
    kind = prompt.output_format.kind
    return np.array(
        [
            *_shape(question, len(prompt.question)),
            *_signs(question),
            float(kind == "labels"),
            float(kind == "number"),
            float(kind == "json"),
            float(bool(prompt.tools)),
            math.log1p(max(0, text_tokens(prompt.text) - text_tokens(prompt.question))),
            math.log1p(sum(turn.role == "user" for turn in prompt.messages)),
        ]
    )


def _shape(text: str, length: int) -> tuple[float, ...]:
    letters = LETTERS.findall(text)
    size = max(1, len(text))
    return (
        math.log1p(length),
        math.log1p(text.count("\n")),
        math.log1p(len(letters)),
        sum(map(len, letters)) / max(1, len(letters)) / 10.0,
        sum(map(str.isdigit, text)) / size,
        math.log1p(len(NUMERAL.findall(text))),
        math.log1p(len(OPERATOR.findall(text))),
        sum(map(str.isupper, text)) / size,
    )


def _signs(text: str) -> tuple[float, ...]:
    return (
        math.log1p(len(CODE.findall(text))),
        math.log1p(text.count("?")),
        math.log1p(len(CONSTRAINT.findall(text))),
        math.log1p(len(LISTED.findall(text))),
        0.0 if text.isascii() else sum(ord(char) > 127 for char in text) / len(text),
    )


def words(text: str) -> Words:
    """Words and pairs of neighbours, counted by their hash.

    Notes
    -----
    The hashing trick [1]_ with CRC-32, which is the same everywhere and always:
    no vocabulary has to be kept, and unseen words cost nothing.

    References
    ----------
    .. [1] K. Weinberger et al. Feature Hashing for Large Scale Multitask
       Learning. ICML 2009.

    Examples
    --------
    >>> float(words("no no").counts.max())
    2.0
    """
    told = WORD.findall(unicodedata.normalize("NFKC", sample(text)).casefold())
    pairs = [f"{a} {b}" for a, b in pairwise(told)]
    counted = Counter(zlib.crc32(w.encode("utf-8", "replace")) % BUCKETS for w in [*told, *pairs])
    places = sorted(counted)
    return Words(
        np.array(places, dtype=np.int32),
        np.array([counted[place] for place in places], dtype=np.float32),
    )


def sample(text: str) -> str:
    """Beginning and end of a text that is too long to read."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def excerpt(question: str) -> str:
    """What is embedded: beginning and end of a question that is too long for that."""
    if len(question) <= MAX_EMBEDDED_CHARS:
        return question
    half = MAX_EMBEDDED_CHARS // 2
    return f"{question[:half]}\n{question[-half:]}"
