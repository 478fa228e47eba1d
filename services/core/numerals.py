"""Numbers as people write them, in any script and with either decimal mark. Pure."""

# ruff: noqa: RUF001  (marks of other scripts are what this file looks for)

import re
import unicodedata
from fractions import Fraction
from typing import Final, Literal

Convention = Literal["point", "comma"]
"""The decimal mark; the other one groups thousands."""
CONVENTIONS: Final[tuple[Convention, ...]] = ("point", "comma")

NUMERAL: Final = re.compile(r"\d(?:[\d.,]{0,40}\d)?", re.ASCII)
"""A number in a text of `plain` digits; its sign is not part of it."""
_SHAPES: Final[dict[Convention, re.Pattern[str]]] = {
    "point": re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?", re.ASCII),
    "comma": re.compile(r"(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?", re.ASCII),
}
_MARKS: Final = {"٫": ".", "٬": ",", "−": "-", "\u00a0": " ", "\u202f": " "}


def plain(text: str) -> str:
    """The text with decimal digits of every script, and their marks, as ASCII ones."""
    if text.isascii():
        return text
    return "".join(_plain_char(char) for char in text)


def read(numeral: str, convention: Convention) -> tuple[Fraction, int] | None:
    """Value of a numeral and how many decimals it has; None if it is not written like that.

    Examples
    --------
    >>> read("1,234.5", "point"), read("1.234,5", "point")
    ((Fraction(2469, 2), 1), None)
    """
    match = _SHAPES[convention].fullmatch(numeral)
    if match is None:
        return None
    whole, decimals = re.sub(r"\D", "", match[1]), match[2] or ""
    return Fraction(int(whole + decimals), 10 ** len(decimals)), len(decimals)


def values(numeral: str) -> frozenset[Fraction]:
    """Everything a numeral may mean."""
    readings = (read(numeral, convention) for convention in CONVENTIONS)
    return frozenset(reading[0] for reading in readings if reading is not None)


def _plain_char(char: str) -> str:
    if char in _MARKS:
        return _MARKS[char]
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)
