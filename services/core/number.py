"""Reads the number that a model answers with."""

import math
import re
from typing import Final

from services.core.equality import canonical
from services.core.extract import Reading
from services.core.mathematics import plain
from services.core.stretches import stretches
from services.core.unreadable import UnreadableError

_SPACES = "\u00a0\u2009\u202f"
_BODY = rf"(?:\d{{1,3}}(?:[,{_SPACES}]\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_NUMBER: Final = re.compile(
    r"(?P<sign>(?<![\w)\]}.])[-\u2212])?(?:[$€£¥₹]\s?(?P<inner>-)?)?"
    rf"(?<![\w.])(?P<body>{_BODY})"
    r"(?:[eE](?P<e>[-+]?\d{1,3})(?!\w)|\s?(?:[x\u00d7*\u00b7]|\\times|\\cdot)\s?10\^\{?(?P<ten>-?\d{1,3})\}?"
    r"|\^\{?(?P<power>-?\d{1,3})\}?)?"
    r"(?:\s?/\s?(?P<divisor>\d+(?:\.\d+)?)(?![\d/]))?"
)
_DECIMAL_COMMA: Final = re.compile(r"[-\u2212]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+")
_THOUSANDS: Final = re.compile(r"[-\u2212]?\d{1,3}(?:,\d{3})+")
_MARKED: Final = re.compile(r"\\boxed\{([^{}]{1,256})\}|####([^\n]{1,256})")
_BARE: Final = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
_GROUPING: Final = re.compile(rf"[,{_SPACES}]")


def number_in(text: str) -> Reading:
    r"""The number that a text answers with: canonical, an integer where it is integral.

    A number in `\boxed{…}` or behind `####` counts, else the last one in the
    text. Currency, percent and thousands signs are dropped, `3/4` is 0.75, and
    a comma is a decimal one only if the text is nothing but that number. Units
    are dropped, with their powers, and never converted.

    Raises
    ------
    UnreadableError
        If there is none; the reason is NOT_A_NUMBER.
    """
    bare = plain(text.strip())
    if _DECIMAL_COMMA.fullmatch(bare) and not _THOUSANDS.fullmatch(bare):
        return _last(bare.replace(".", "").replace(",", ".")), ("DECIMAL_COMMA",)
    marked = [boxed or hashed for boxed, hashed in _MARKED.findall(bare)]
    value = _last(marked[-1] if marked and numbers_in(marked[-1]) else bare)
    is_bare = _BARE.fullmatch(text.strip()) is not None
    return value, () if is_bare else ("NUMBER_IN_TEXT",)


def numbers_in(text: str) -> list[int | float]:
    """All finite numbers in a text, in order."""
    return [number for stretch in stretches(text) for number in _numbers_in(stretch)]


def _numbers_in(stretch: str) -> list[int | float]:
    found = (_value(match) for match in _NUMBER.finditer(plain(stretch)))
    return [number for number in found if number is not None]


def _last(text: str) -> int | float:
    for stretch in reversed(list(stretches(text))):
        if found := _numbers_in(stretch):
            return found[-1]
    raise UnreadableError("NOT_A_NUMBER", "the answer holds no number")


def _value(match: re.Match[str]) -> int | float | None:
    try:
        number = _magnitude(match)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    is_negative = (match["sign"] is not None) != (match["inner"] is not None)
    form: int | float = canonical(-number if is_negative else number)
    return form


def _magnitude(match: re.Match[str]) -> int | float:
    digits = _GROUPING.sub("", match["body"])
    if exponent := match["e"] or match["ten"]:
        digits = f"{digits}e{exponent}"
    number: int | float = int(digits) if digits.isdigit() else float(digits)
    if match["power"]:
        number = float(number) ** int(match["power"])
    if match["divisor"]:
        number = number / float(match["divisor"])
    if isinstance(number, float) and not math.isfinite(number):
        raise OverflowError
    return number
