"""Reads the number that a model answers with."""

import math
import re
from typing import Final

from services.core.equality import canonical
from services.core.extract import Reading
from services.core.mathematics import plain
from services.core.stretches import matches, stretches
from services.core.unreadable import UnreadableError

_SPACES = "\u00a0\u2009\u202f"
_GROUPED = rf"\d{{1,3}}(?:[,_{_SPACES}]\d{{3}})+(?!_?\d)"
_SPACED = r"(?:\d{1,2}|\d{3}(?= 0))(?: \d{3}){1,20}(?! ?\d)"
"""Bounded, for it is tried at each group of a row that is none."""
_BODY = rf"(?:(?:{_GROUPED}|{_SPACED})(?:\.\d+)?|\d++(?:\.\d+)?|\.\d+)"
_OTHER = r"0[xX][\da-fA-F]+\b|0[bB][01]+\b|0[oO][0-7]+\b|\d+(?::\d+)+"
_NUMBER: Final = re.compile(
    rf"(?<![\w.])(?P<other>{_OTHER})|"
    r"(?P<sign>(?<![\w)\]}.])[-\u2212])?(?:[$€£¥₹]\s?(?P<inner>-)?)?"
    rf"(?<![\w.])(?P<body>{_BODY})(?!_\d)"
    r"(?:[eE](?P<e>[-+]?\d{1,3})(?!\w)|\s?(?:[x\u00d7*\u00b7]|\\times|\\cdot)\s?10\^\{?(?P<ten>-?\d{1,3})\}?"
    r"|\^\{?(?P<power>-?\d{1,3})\}?)?"
    r"(?:\s?/\s?(?P<divisor>\d+(?:\.\d+)?)(?![\d/]))?"
)
_OTHERWISE: Final = re.compile(
    r"(?<![\w.,])(?:(?P<points>\d{1,3}(?:\.\d{3}){1,12},\d{1,30}|\d{1,3}(?:\.\d{3}){2,12})"
    r"|(?P<lakhs>\d{1,2}(?:,\d{2}){1,12},\d{3}(?:\.\d{1,30})?)"
    r"|(?![1-9]\d{0,2},\d{3}(?!\d))\d{1,30},\d{1,30})(?![\d_]|[.,]\d)"
)
"""Points between thousands, commas between lakhs, or a comma before decimals: how much of the world
writes what can be written in no other way."""
_MARKED: Final = re.compile(r"\\boxed\{([^{}]{1,256})\}|####([^\n]{1,256})")
_BARE: Final = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
_GROUPING: Final = re.compile(rf"[,_ {_SPACES}]")
_SPACED_OUT: Final = re.compile(r"[-\u2212]?\d{1,3}(?: \d{3})+(?:\.\d+)?")
_CUE: Final = re.compile(
    r"\b(?:answer|antwort|réponse|respuesta|resposta|risposta|ответ)[\s*_\"'`]*"
    r"(?:is|ist|est|es|é|è|:|\uff1a|=)|(?:答案|答え|回答)\s*(?:是|は|为|為|:|\uff1a|=)",
    re.IGNORECASE,
)
_CLAUSE_CHARS: Final = 200
_CLAUSE_END: Final = re.compile(
    r"[;!?\n\u3002\uff1b]|[,.](?!\d)"
    r"|\b(?:because|since|as|but|not|for|weil|denn|sondern|mais|car|pero|porque)\b",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(
    r"(?:\b(?:not|never|instead\s+of|rather\s+than|nicht|statt|pas)|n['\u2019]t)"
    r"\s+(?:be\s+|equals?\s+)?(?:to\s+)?$",
    re.IGNORECASE,
)
_BEFORE_CHARS: Final = 32


def number_in(text: str) -> Reading:
    r"""The number that a text answers with: canonical, an integer where it is integral.

    A number in `\boxed{…}` or behind `####` counts, else the last one of what
    follows `Answer:` and the like up to the end of its clause, else the last
    one in the text; one that is denied, as in `not 6`, never does. Currency,
    percent and thousands signs are dropped, `3/4` is 0.75, and a comma or points
    are decimal or thousands signs of the other kind only where they can be
    nothing else, as in `3,14` and `1.234.567`. Units are dropped, with their
    powers, and never converted. A ratio, a time and digits of another base are
    no numbers.

    Raises
    ------
    UnreadableError
        If there is none; the reason is NOT_A_NUMBER.
    """
    written = plain(text.strip())
    bare = "".join(_OTHERWISE.sub(_usual, part) for part in stretches(written))
    repairs = ("DECIMAL_COMMA",) if bare != written else ()
    if _SPACED_OUT.fullmatch(bare):
        bare = bare.replace(" ", "")
    marked = [boxed or hashed for boxed, hashed in _MARKED.findall(bare)]
    value = _last(marked[-1]) if marked and numbers_in(marked[-1]) else _meant(bare)
    is_bare = _BARE.fullmatch(bare if repairs else text.strip()) is not None
    return value, repairs if is_bare else ("NUMBER_IN_TEXT", *repairs)


def _usual(found: re.Match[str]) -> str:
    """A number with a point before its decimals, and nothing between its thousands."""
    if found["lakhs"]:
        return found[0].replace(",", "")
    return found[0].replace(".", "").replace(",", ".")


def numbers_in(text: str) -> list[int | float]:
    """All finite numbers in a text, in order."""
    return [number for stretch in stretches(text) for number in _numbers_in(stretch)]


def _meant(text: str) -> int | float:
    """The last number behind the last cue that has one, else the last of all."""
    cued = [text[cue.end() : cue.end() + _CLAUSE_CHARS] for cue in matches(_CUE, text)]
    for clause in (_CLAUSE_END.split(rest, maxsplit=1)[0] for rest in reversed(cued)):
        if any(number is not None for number in _meant_in(clause)):
            return _last(clause)
    return _last(text)


def _numbers_in(stretch: str) -> list[int | float]:
    found = (_value(match) for match in _NUMBER.finditer(plain(stretch)))
    return [number for number in found if number is not None]


def _meant_in(stretch: str) -> list[int | float | None]:
    """The numbers that are not denied, and None for what is written like one and is none."""
    told = plain(stretch)
    return [
        _value(match)
        for match in _NUMBER.finditer(told)
        if not _DENIED.search(told[max(0, match.start() - _BEFORE_CHARS) : match.start()])
    ]


def _last(text: str) -> int | float:
    for stretch in reversed(list(stretches(text))):
        if found := _meant_in(stretch):
            last = found[-1]
            if last is not None:
                return last
            break
    raise UnreadableError("NOT_A_NUMBER", "the answer holds no number, or ends with none")


def _value(match: re.Match[str]) -> int | float | None:
    if match["other"]:
        return None
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
