r"""Writes LaTeX numbers, mixed fractions and units in the plain way that numbers are read in."""

import math
import re
import unicodedata
from typing import Final

from services.core.stretches import stretches

_WRAPPED: Final = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox)\{([^{}]{0,256})\}"
)
_SIZED: Final = re.compile(r"\\(?:left|right|displaystyle|d?quad)(?![A-Za-z])|\\[!,;: ]")
_ESCAPED: Final = re.compile(r"\\([%$#&_])")
_DEGREES: Final = re.compile(r"\^\{?\\circ\}?|\\degree(?![A-Za-z])|\u00b0")
_FRACTION: Final = re.compile(
    r"(?P<whole>(?<![\w.])\d{1,12})?\s?"
    r"\\[dtc]?frac(?:\{(?P<over>[^{}]{1,32})\}\{(?P<under>[^{}]{1,32})\}|(?P<o>\d)\s?(?P<u>\d))"
)
_MIXED: Final = re.compile(r"(?<![\w./,])(\d{1,12})\s(\d{1,4})/(\d{1,4})(?![\w/])")
_ROOT: Final = re.compile(r"(?P<times>(?<![\w.])\d{1,12})?\s?\\sqrt\{\s?(?P<of>\d{1,15})\s?\}")
_PI: Final = re.compile(
    r"(?P<times>(?<![\w.])\d{1,12}(?:\.\d{1,12})?)?\s?(?:\\pi(?![A-Za-z])|\u03c0)"
)
_VULGAR: Final = re.compile(
    r"(?:(?P<whole>(?<![\w.,])\d{1,12})\s?)?(?P<part>[\u00bc-\u00be\u2150-\u215e\u2189])"
)
_UNIT_POWER: Final = re.compile(r"(?<=[A-Za-z])\^(?:\{-?\d\}|-?\d)(?!\d)")
_SCALE: Final = re.compile(
    r"(?<![\w.,])(\d{1,9}(?:\.\d{1,9})?)\s?(thousand|million|billion|trillion)\b", re.IGNORECASE
)
_MARKS: Final = str.maketrans({"\u066b": ".", "\u066c": ",", "\uff0e": "."})
"""Decimal and thousands marks of Arabic, and the full-width point."""
_SLASH: Final = "\u2044"
"""Of fractions that are one character, such as a half."""
_ZEROS: Final = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}


def plain(text: str) -> str:
    r"""A text with its numbers in plain digits.

    Examples
    --------
    >>> plain(r"2\frac{1}{2}\,\text{cm}^2")
    '5/2 cm'
    >>> plain("1.5 million")
    '1500000'
    """
    return "".join(map(_plain, stretches(text)))


def _plain(text: str) -> str:
    if not text.isascii():
        text = text.translate(_MARKS)
    if "\\" in text:
        text = _without_latex(text)
    text = _PI.sub(lambda m: _product(m["times"], math.pi), text)
    text = _VULGAR.sub(_vulgar, text).replace(_SLASH, "/")
    text = _MIXED.sub(_mixed, text)
    text = _SCALE.sub(_scaled, text)
    return _UNIT_POWER.sub("", _DEGREES.sub("", text))


def _without_latex(text: str) -> str:
    text = _SIZED.sub("", text.replace("{,}", ","))
    text = _ESCAPED.sub(r"\1", _WRAPPED.sub(r" \1", text))
    text = _ROOT.sub(lambda m: _product(m["times"], math.sqrt(int(m["of"]))), text)
    return _FRACTION.sub(_fraction, text)


def _product(times: str | None, value: float) -> str:
    return f"{float(times or 1) * value:.15g}"


def _fraction(found: re.Match[str]) -> str:
    over, under = found["over"] or found["o"], found["under"] or found["u"]
    whole = found["whole"]
    if whole is None:
        return f"{over}/{under}"
    if over.isdecimal() and under.isdecimal():
        return f"{int(whole) * int(under) + int(over)}/{under}"
    return f"{whole} {over}/{under}"


def _vulgar(found: re.Match[str]) -> str:
    over, _, under = unicodedata.normalize("NFKC", found["part"]).partition(_SLASH)
    return f"{int(found['whole'] or 0) * int(under) + int(over)}/{under}"


def _mixed(found: re.Match[str]) -> str:
    whole, over, under = (int(part) for part in found.groups())
    return f"{whole * under + over}/{under}" if over < under else found[0]


def _scaled(found: re.Match[str]) -> str:
    digits, word = found.groups()
    whole, _, part = digits.partition(".")
    zeros = _ZEROS[word.lower()]
    return str(int(whole + part.ljust(zeros, "0"))) if len(part) <= zeros else found[0]
