"""Kinds of things that a text is not to be kept with, and how each is told from what only looks so.

Patterns are RE2's, so that no text takes long. They find stretches; what patterns cannot say, such
as check digits, is looked for within a stretch, from its start to its end once.
"""

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import re2

from services.ledger.checksums import Span, accounts, cards
from services.ledger.credentials import CREDENTIAL
from services.ledger.folding import NO_DIGITS

Within = Callable[[bytes], Iterable[Span]]


def whole(stretch: bytes) -> Iterable[Span]:
    """A stretch that is one thing."""
    return ((0, len(stretch)),)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing."""

    name: str
    pattern: Any
    """Compiled; finds at least one character, and all that one thing may reach over."""
    within: Within = whole
    """Where there are things in what the pattern finds: in their order, and none in another."""
    digits: int = 0
    """A text with fewer of them has none."""
    sign: bytes = b""
    """Nor has one without it."""

    @property
    def mark(self) -> str:
        """What stands in its place."""
        return f"[{self.name}]"


PHONE_DIGITS: Final = range(7, 16)
"""E.164 allows 15."""


def internet_addresses(stretch: bytes) -> Iterator[Span]:
    """Addresses of the Internet Protocol, version 4 or 6.

    Examples
    --------
    >>> list(internet_addresses(b"192.0.2.7")), list(internet_addresses(b"1.2.3.4.5"))
    ([(0, 9)], [])
    >>> list(internet_addresses(b"2001:db8::1")), list(internet_addresses(b"a::b"))
    ([(0, 11)], [])
    """
    if b":" not in stretch:
        if _is_address(socket.AF_INET, stretch):
            yield 0, len(stretch)
        return
    at = 0
    while (found := _PART_OF_IPV6.search(stretch, at)) is not None:
        start, at = found.span()
        if _is_address(socket.AF_INET6, found.group()):
            yield start, at
        else:
            at = start + 1


def _is_address(family: int, text: bytes) -> bool:
    if len(text.translate(None, NO_DIGITS)) == 0:
        return False
    try:
        socket.inet_pton(family, text.decode())
    except OSError:
        return False
    return True


def phones(stretch: bytes) -> Iterator[Span]:
    """Telephone numbers, by how many digits they have.

    Examples
    --------
    >>> list(phones(b"030 123 45 67")), list(phones(b"0.001234567")), list(phones(b"000 00 00"))
    ([(0, 13)], [], [])
    """
    if not _is_diverse(stretch):
        return
    at = 0
    while (found := _PHONE.search(stretch, at)) is not None:
        start, at = found.span()
        if _is_phone(stretch[start:at]) and not _DECIMALS.match(stretch, max(0, start - 2)):
            yield start, at
        else:
            at = start + 1


def _is_diverse(text: bytes) -> bool:
    """Whether it has as many digits as a telephone number, and not one of them alone."""
    digits = text.translate(None, NO_DIGITS)
    return len(digits) >= PHONE_DIGITS.start and digits.count(digits[:1]) < len(digits)


def _is_phone(text: bytes) -> bool:
    n_digits = len(text.removeprefix(b"%2").translate(None, NO_DIGITS))
    return n_digits in PHONE_DIGITS and _is_diverse(text)


_LOCAL: Final = r"[\pL\pM\pN.!#$%&'*+/=?^_`{|}~-]+"
_DOMAIN: Final = (
    r"[\pL\pN](?:[\pL\pM\pN.-]*[\pL\pM\pN])?\.(?:(?i:xn--)[a-z0-9-]*[a-z0-9]|\pL[\pL\pM]+)"
)
_IBAN: Final = r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,}"
_CARD: Final = r"\b[0-9]{4}(?:[ -]?[0-9]){8,}\b"

_IPV4: Final = r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3,}\b"
_TAIL: Final = r"(?:\.[0-9]{1,3}){3}"
_HEX: Final = r"[0-9A-Fa-f]{1,4}"
_IPV6: Final = (
    rf"(?:\b{_HEX}(?::{_HEX})*|\B)::{_HEX}(?::{{1,2}}{_HEX})*(?:{_TAIL})?\b"
    rf"|\b{_HEX}(?::{{1,2}}{_HEX})*::\B"
    rf"|\b(?:{_HEX}:){{6,}}{_HEX}(?:{_TAIL})?\b"
)
_PART_OF_IPV6: Final = re.compile(
    rf"\b(?:{_HEX}:){{1,7}}:\B"
    rf"|(?:\b{_HEX}(?::{_HEX}){{0,6}})?::{_HEX}(?::{_HEX}){{0,6}}(?:{_TAIL})?\b"
    rf"|\b{_HEX}(?::{_HEX}){{6,7}}(?:{_TAIL})?\b".encode()
)
"""What may be an address in a stretch; it ends soon, and in one way."""

_GAP: Final = r"(?:[ .-]| ?/ ?)"
_PHONE: Final = re2.compile(
    rf"(?:\B\+|%2[Bb]|\b00)[1-9][0-9]{{0,2}}{_GAP}?(?:\([0-9]{{1,5}}\){_GAP}?)?"
    rf"[0-9]{{1,5}}(?:{_GAP}?[0-9]{{2,5}}){{1,5}}\b"
    rf"|\((?:0[0-9]{{1,4}}|[1-9][0-9]{{1,2}})\) ?[0-9]{{2,5}}(?:{_GAP}?[0-9]{{2,5}}){{0,4}}\b"
    r"|\b0[0-9]{2,5}(?:[ -]| ?/ ?)[0-9]{2,5}(?:(?:[ -]| ?/ ?)?[0-9]{2,5}){0,4}\b"
    r"|\b0[1-9](?:(?: [0-9]{2}){4}|(?:\.[0-9]{2}){4})\b"
    r"|\b0[1-9][ -](?:[0-9]{4}[ -][0-9]{4}|[0-9]{7,8})\b"
    r"|\b0[1-9][0-9]{8,10}\b"
    r"|\b(?:1[ .-])?[0-9]{3}[.-][0-9]{3}[.-][0-9]{4}\b"
    r"|\b[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}\b"
)
_DIALLED: Final = (
    r"(?:[0-9][.,])?(?:\B\+|%2[Bb]|\b0|\(|\b(?:1[ .-])?[0-9]{3}[ .-])[0-9 ()./+-]{4,}[0-9]\b"
)
"""All that a telephone number may be in, and its surroundings as far as they may look like one."""
_DECIMALS: Final = re.compile(rb"[0-9][.,]")
"""What stands before digits that are part of a number."""

BUILT_IN: Final = (
    Kind("secret", re2.compile(CREDENTIAL)),
    Kind("email", re2.compile(rf"{_LOCAL}@{_DOMAIN}"), sign=b"@"),
    Kind("email", re2.compile(rf"{_LOCAL}%40{_DOMAIN}"), sign=b"%40"),
    Kind("iban", re2.compile(_IBAN), accounts, digits=2),
    Kind("card", re2.compile(_CARD), cards, digits=12),
    Kind("ip", re2.compile(f"{_IPV4}|{_IPV6}"), internet_addresses, digits=1),
    Kind("phone", re2.compile(_DIALLED), phones, digits=7),
)
"""In the order in which they are looked for: what is told apart best comes first."""
