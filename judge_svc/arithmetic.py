"""Recomputes what an answer says numbers add up to. Pure.

Only plain statements are read: `2 + 3 = 5`, `<<12*3=36>>`, `(7 - 2) × 4 = 20`. Everything that may
mean something else (variables, units between the numbers, other bases, clocks, code) is passed
over: a statement is called wrong only if it is wrong however its numerals and roundings are read.
"""

# ruff: noqa: RUF001, RUF002  (signs of arithmetic are what this file looks for)

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from services.core.numerals import CONVENTIONS, NUMERAL, Convention, plain, read

MAX_STATEMENTS: Final = 200
MAX_TOKENS: Final = 48
"""Of one side; longer ones are passed over."""
MAX_EXPONENT: Final = 64
MAX_BITS: Final = 4096
"""Of a power: those of powers would soon fill any memory."""
MAX_CHARS: Final = 50_000

CODE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
ELSEWHERE: Final = re.compile(
    r"\b(?:mod|modulo|base|binary|hex\w*|octal|clock|o'clock|string|concat\w*)\b", re.IGNORECASE
)
"""A line with one of these may count differently."""
FUNCTIONS: Final = frozenset({"log", "ln", "lg", "exp", "sin", "cos", "tan", "sqrt", "root", "of"})
TOKEN: Final = re.compile(
    rf"""(?P<number>{NUMERAL.pattern}) | (?P<power>\*\*|\^) | (?P<op>[-+*/×·÷])
    | (?P<paren>[()]) | (?P<equals>(?<![=<>!:~])=(?![=>])) | (?P<currency>[$€£¥₹])
    | (?P<times>(?<=\d)[xX](?=\d)) | (?P<word>[^\W\d_]\w*) | (?P<other>\S)""",
    re.VERBOSE | re.ASCII,
)
SYMBOLS: Final = {"×": "*", "·": "*", "÷": "/", "**": "^", "x": "*", "X": "*"}
CLINGS_BEFORE: Final = re.compile(r"[\w.√!%^)\]}\\]")
CLINGS_AFTER: Final = re.compile(r"[\w%!^°\\({\[]")
"""Signs that make a number beside them part of something else."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Range:
    """What a rounded number may stand for."""

    low: Fraction
    high: Fraction

    @property
    def exact(self) -> bool:
        return self.low == self.high


class NotPlainError(ValueError):
    """A side of a statement is no plain arithmetic."""


def wrong_statements(text: str, *, quoted_from: str = "") -> tuple[int, list[str]]:
    """Recompute every plain statement of a text.

    Parameters
    ----------
    text : str
        An answer; its code is passed over.
    quoted_from : str
        The question: a statement that already stands there is a quotation.

    Returns
    -------
    tuple of int and list of str
        How many statements were recomputed, and those that are wrong.

    Examples
    --------
    >>> wrong_statements("First 2 + 3 = 5, then 5 * 4 = 25.")
    (2, ['5 * 4 = 25'])
    """
    known = _squeezed(plain(quoted_from))
    checked, wrong = 0, []
    for statement in _statements(CODE.sub(" ", plain(text[:MAX_CHARS]))):
        if statement.holds is None or _squeezed(statement.text) in known:
            continue
        checked += 1
        if not statement.holds:
            wrong.append(statement.text)
        if checked == MAX_STATEMENTS:
            break
    return checked, wrong


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    holds: bool | None
    """None when it is not plain arithmetic."""


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _statements(text: str) -> Iterator[Statement]:
    for line in text.splitlines():
        if "=" not in line or ELSEWHERE.search(line):
            continue
        tokens = _tokens(line)
        for i, token in enumerate(tokens):
            if token.kind == "equals":
                before = tokens[max(0, i - MAX_TOKENS - 2) : i]
                after = tokens[i + 1 : i + 1 + MAX_TOKENS]
                yield _statement(line, _left(line, before), _right(line, after))


def _tokens(line: str) -> list[Token]:
    found = [Token(str(m.lastgroup), m.group(), m.start(), m.end()) for m in TOKEN.finditer(line)]
    last = len(found) - 1
    return [
        Token("op", "*", token.start, token.end)
        if token.kind == "times"
        or (token.text in {"x", "X"} and 0 < i < last and _between(found, i))
        else token
        for i, token in enumerate(found)
        if token.kind != "currency"
    ]


def _between(tokens: Sequence[Token], i: int) -> bool:
    return tokens[i - 1].kind in {"number", "paren"} and tokens[i + 1].kind == "number"


def _left(line: str, before: Sequence[Token]) -> list[Token]:
    """The expression that ends at an equals sign; empty when it is part of something else."""
    side: list[Token] = []
    for token in reversed(before[-MAX_TOKENS:]):
        if token.kind not in {"number", "op", "power", "paren"}:
            break
        side.insert(0, token)
    rest = before[: len(before) - len(side)]
    side = _without_unmatched(side, opening=True)
    if not side or (rest and _belongs_to(line, rest, side[0])):
        return []
    return side


def _belongs_to(line: str, rest: Sequence[Token], first: Token) -> bool:
    """Whether an expression goes on to the left of its first token."""
    previous = rest[-1]
    if previous.kind == "equals":
        return False
    if previous.end == first.start and CLINGS_BEFORE.match(line[previous.end - 1]):
        return True
    ratio = previous.text == ":" and len(rest) > 1 and rest[-2].kind == "number"
    return ratio or first.kind == "op" or previous.text.lower() in FUNCTIONS


def _right(line: str, after: Sequence[Token]) -> list[Token]:
    """The expression that begins at an equals sign; empty when it is part of something else."""
    side: list[Token] = []
    for token in after:
        if token.kind not in {"number", "op", "power", "paren"}:
            break
        side.append(token)
    side = _without_unmatched(side, opening=False)
    if not side or CLINGS_AFTER.match(line[side[-1].end : side[-1].end + 1]):
        return []
    return side


def _without_unmatched(side: list[Token], *, opening: bool) -> list[Token]:
    """Cut an expression at a bracket that encloses the whole statement."""
    opens, closes = ("(", ")") if opening else (")", "(")
    ordered = list(reversed(side)) if opening else side
    depth = 0
    for n, token in enumerate(ordered):
        depth += (token.text == closes) - (token.text == opens)
        if depth < 0:
            kept = ordered[:n]
            return list(reversed(kept)) if opening else kept
    return side


def _statement(line: str, left: list[Token], right: list[Token]) -> Statement:
    if not left or not right or not any(t.kind in {"op", "power"} for t in (*left, *right)):
        return Statement("", None)
    text = line[left[0].start : right[-1].end].strip()
    findings = [_holds(left, right, convention) for convention in CONVENTIONS]
    readable = [finding for finding in findings if finding is not None]
    return Statement(text, any(readable) if readable else None)


def _holds(left: list[Token], right: list[Token], convention: Convention) -> bool | None:
    try:
        one, other = evaluated(left, convention), evaluated(right, convention)
        # In `2 + 3 = 5 * 2 = 10` the first result is meant, not the whole right side.
        first = evaluated(right[:1], convention) if right[0].kind == "number" else other
    except NotPlainError:
        return None
    slack = max(_slack(one, right, convention), _slack(other, left, convention))
    return _meet(one, other, slack) or _meet(one, first, slack)


def _slack(side: Range, stated: list[Token], convention: Convention) -> Fraction:
    """How far a stated result may be off: one unit of its last digit, if it had to be rounded."""
    if len(stated) != 1 or (side.exact and side.low.denominator == 1):
        return Fraction(0)
    result = read(stated[0].text, convention)
    return Fraction(0) if result is None else Fraction(1, 10 ** result[1])


def _meet(one: Range, other: Range, slack: Fraction) -> bool:
    return one.low <= other.high + slack and other.low <= one.high + slack


def evaluated(tokens: Sequence[Token], convention: Convention) -> Range:
    """Value of an expression, as far as its rounded numbers tell.

    Raises
    ------
    NotPlainError
        If it is no expression, divides by zero, or grows out of hand.
    """
    value, rest = _sum(list(tokens), convention)
    if rest:
        raise NotPlainError
    return value


def _sum(tokens: list[Token], convention: Convention) -> tuple[Range, list[Token]]:
    value, rest = _product(tokens, convention)
    while rest and rest[0].text in {"+", "-"}:
        sign = rest[0].text
        term, rest = _product(rest[1:], convention)
        value = _added(value, term if sign == "+" else Range(-term.high, -term.low))
    return value, rest


def _product(tokens: list[Token], convention: Convention) -> tuple[Range, list[Token]]:
    value, rest = _powered(tokens, convention)
    while rest and rest[0].kind == "op" and rest[0].text not in {"+", "-"}:
        by = SYMBOLS.get(rest[0].text, rest[0].text)
        factor, rest = _powered(rest[1:], convention)
        value = _multiplied(value, factor if by == "*" else _inverse(factor))
    return value, rest


def _powered(tokens: list[Token], convention: Convention) -> tuple[Range, list[Token]]:
    if tokens and tokens[0].text == "-":
        value, rest = _powered(tokens[1:], convention)
        return Range(-value.high, -value.low), rest
    base, rest = _atom(tokens, convention)
    if not rest or rest[0].kind != "power":
        return base, rest
    exponent, rest = _powered(rest[1:], convention)
    return _raised(base, exponent), rest


def _atom(tokens: list[Token], convention: Convention) -> tuple[Range, list[Token]]:
    match tokens:
        case [Token(kind="number", text=text), *rest]:
            return _number(text, convention), rest
        case [Token(text="("), *rest]:
            value, rest = _sum(rest, convention)
            if not rest or rest[0].text != ")":
                raise NotPlainError
            return value, rest[1:]
        case _:
            raise NotPlainError


def _number(text: str, convention: Convention) -> Range:
    result = read(text, convention)
    if result is None:
        raise NotPlainError
    value, decimals = result
    rounding = Fraction(1, 2 * 10**decimals) if decimals else Fraction(0)
    return Range(value - rounding, value + rounding)


def _added(one: Range, other: Range) -> Range:
    return Range(one.low + other.low, one.high + other.high)


def _multiplied(one: Range, other: Range) -> Range:
    corners = [a * b for a in (one.low, one.high) for b in (other.low, other.high)]
    return Range(min(corners), max(corners))


def _inverse(value: Range) -> Range:
    if value.low <= 0 <= value.high:
        raise NotPlainError
    return Range(1 / value.high, 1 / value.low)


def _raised(base: Range, exponent: Range) -> Range:
    power = exponent.low
    if not exponent.exact or power.denominator != 1 or abs(power) > MAX_EXPONENT:
        raise NotPlainError
    if base.low <= 0 and not (base.exact and power > 0):
        raise NotPlainError
    if abs(power) * max(_bits(base.low), _bits(base.high)) > MAX_BITS:
        raise NotPlainError
    ends = sorted((base.low ** int(power), base.high ** int(power)))
    return Range(Fraction(ends[0]), Fraction(ends[1]))


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
