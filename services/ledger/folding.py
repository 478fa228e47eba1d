"""Reads a text as people would: digits of any script as ours, escapes as what they stand for. Pure.

Whatever is read stands where it stood: each character is replaced by one, an escape by as many as
it has.
"""

import re
import unicodedata
from typing import Final

import re2

ASCII: Final = bytes(range(128))
CHARACTERS: Final = re2.compile(r"[\p{Nd}\x{FF01}-\x{FF5E}]")
GAPS: Final = re2.compile(r"[\p{Zs}\p{Pd}\p{Cf}]")
"""Of what is not ASCII. Between digits alone it matters."""
FEWEST_DIGITS: Final = 7
"""Of a number with gaps that is looked for."""
NO_DIGITS: Final = bytes(each for each in range(256) if not 48 <= each < 58)
FULL_WIDTH: Final = range(0xFF01, 0xFF5F)
"""Code points of ASCII as wide as Chinese characters are, in its order."""
TO_ASCII: Final = 0xFEE0
MOST_KNOWN: Final = 65_536

ESCAPE: Final = re.compile(
    r"\\(?:[bfnrt]|u[0-9A-Fa-f]{4})"
    r"|%(?:0[9AaDd]|2[0-9AaCcFf]|3[AaBbCcDdEeFf]|5[BbDd]|7[BbCcDd])"
)
"""Of JSON and of URLs, the latter of signs that end a word."""


def folded(text: str) -> str:
    r"""The text as it is read; itself where that is what it says.

    Examples
    --------
    >>> folded("\u0664\uff11\u20131"), folded(r"a\n1%20b")
    ('41-1', 'a  1   b')
    """
    read = text
    if "\\" in text or "%" in text:
        read = ESCAPE.sub(_unescaped, text)
    if not read.isascii() and _is_foldable(read.encode()):
        read = read.translate(_FOLDS)
    return text if read == text else read


def _is_foldable(text: bytes) -> bool:
    foreign = text.translate(None, ASCII)
    if CHARACTERS.search(foreign) is not None:
        return True
    has_number = len(text.translate(None, NO_DIGITS)) >= FEWEST_DIGITS
    return has_number and GAPS.search(foreign) is not None


def _unescaped(found: re.Match[str]) -> str:
    """What an escape stands for, at its end; a letter as often as the escape is long."""
    escape = found.group()
    if not escape.startswith("\\u"):
        return " " * len(escape)
    char = chr(int(escape.removeprefix("\\u"), 16))
    if char.isalpha():
        return char * len(escape)
    return (char if char.isprintable() else " ").rjust(len(escape))


class _Folds(dict[int, int]):
    """Code points by what they are read as; those that were met are known."""

    def __missing__(self, point: int) -> int:
        read = _read(point)
        if len(self) < MOST_KNOWN:
            self[point] = read
        return read


def _read(point: int) -> int:
    if point < len(ASCII):
        return point
    if point in FULL_WIDTH:
        return point - TO_ASCII
    match unicodedata.category(chr(point)):
        case "Nd":
            return ord("0") + unicodedata.digit(chr(point))
        case "Zs" | "Cf":
            return ord(" ")
        case "Pd":
            return ord("-")
    return point


_FOLDS: Final = _Folds()
