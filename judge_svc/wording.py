"""Texts as sentences, and sentences as words that can be compared. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from services.core.numerals import plain
from services.core.words import negations

WORD: Final = re.compile(r"\d[\d.,]*\d|\d|\w+(?:['\u2019]\w+)?")
_END: Final = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n+")  # noqa: RUF001 - full stops of other scripts
_ENDINGS: Final = ("ingly", "edly", "ing", "ies", "ied", "ed", "es", "ly", "s", "e")
REMEMBERED: Final = 16
"""Latest texts that are not cut again: several signals read an answer and its peers."""
SHORTEST: Final = 3
"""Letters that are left of a word at least."""
_EMPTY: Final = """
a about after also an and are as at be been before by can could did do does during for from had has
have he her his in into is it its not of on or over she such than that the their then there these
they this those to was were which while who will with would
"""
EMPTY: Final = frozenset(_EMPTY.split())
"""English words that say nothing of what a text is about."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, cut into words."""

    text: str
    words: tuple[str, ...]
    lower: tuple[str, ...]
    """The same in lower case."""
    stems: frozenset[str]
    """Of the words that carry meaning."""
    negations: int


@lru_cache(REMEMBERED)
def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text that have a word."""
    cut = (part.strip() for part in _END.split(plain(text)))
    return tuple(found for part in cut if (found := _sentence(part)).words)


def _sentence(text: str) -> Sentence:
    words = tuple(WORD.findall(text))
    lower = tuple(word.casefold() for word in words)
    return Sentence(text, words, lower, stems(lower), negations(text))


def stems(words: Sequence[str]) -> frozenset[str]:
    """Stems of the words, given in lower case, that carry meaning."""
    return frozenset(stem(word) for word in words if word not in EMPTY)


def stem(word: str) -> str:
    """A word, in lower case, without the commonest English ending.

    Examples
    --------
    >>> stem("reduced"), stem("reducing"), stem("red")
    ('reduc', 'reduc', 'red')
    """
    if not word.endswith(_ENDINGS):
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            return word.removesuffix(ending)
    return word
