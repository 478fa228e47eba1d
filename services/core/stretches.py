"""Parts long texts, so that no one call over a text keeps all other threads waiting."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

MOST_CHARS: Final = 16_384
"""Of a stretch. A regular expression takes up to 0.1 µs a character, and lets nobody in before."""

REACH: Final = 1024
"""How far an end is looked for, and how long what `matches` finds may be."""


def stretches(text: str, *, most: int = MOST_CHARS) -> Iterator[str]:
    r"""Consecutive parts of a text, which they are when joined; a short text is its only one.

    A part ends behind the last line of its latter half. In want of one it ends
    among its last REACH characters: behind a blank that parts no number, else
    elsewhere beside no digit and no accent, else behind any blank. In want of
    these it is full.

    Examples
    --------
    >>> list(stretches("one line\nthen 1 2 and more", most=14))
    ['one line\n', 'then 1 2 and ', 'more']
    """
    start = 0
    while len(text) - start > most:
        end = _end(text, start + most // 2, start + most)
        yield text[start:end]
        start = end
    if start < len(text) or not text:
        yield text[start:]


def matches(
    pattern: re.Pattern[str], text: str, *, most: int = MOST_CHARS
) -> Iterator[re.Match[str]]:
    """What `finditer` finds, looked for in so many characters at a time.

    It is cut to REACH characters where it begins last of these and is longer,
    together with what it looks ahead to.

    Examples
    --------
    >>> [found[0] for found in matches(re.compile("[a-z]+"), "one and another", most=5)]
    ['one', 'and', 'another']
    """
    start = 0
    while start < len(text):
        end = start + most
        for found in pattern.finditer(text, start, end + REACH):
            if found.start() >= end:
                break
            start = found.end()
            yield found
        start = max(start, end)


def _end(text: str, least: int, full: int) -> int:
    if line := text.rfind("\n", least, full) + 1:
        return line
    for fits in (_is_between_words, _is_beside_no_digit, _is_behind_a_blank):
        if end := next((i for i in range(full, max(least, full - REACH), -1) if fits(text, i)), 0):
            return end
    return full


def _is_between_words(text: str, at: int) -> bool:
    return text[at - 1].isspace() and not (text[at - 2].isdigit() or text[at].isdigit())


def _is_beside_no_digit(text: str, at: int) -> bool:
    beside = text[at - 1], text[at]
    return not (any(map(str.isdigit, beside)) or unicodedata.combining(text[at]))


def _is_behind_a_blank(text: str, at: int) -> bool:
    return text[at - 1].isspace()
