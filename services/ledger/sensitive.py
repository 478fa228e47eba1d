"""Kinds of things that a text is not to be kept with, and how each is told from what only looks so.

Patterns are RE2's, so that no text takes long; what they cannot say, check digits do.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import re2


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing."""

    name: str
    pattern: Any
    """Compiled; finds at least one character."""
    length: Callable[[bytes], int] = len
    """How many bytes of what the pattern finds are one, from its first on; 0: none."""


CARD_DIGITS: Final = range(12, 20)
PHONE_DIGITS: Final = range(7, 16)
"""E.164 allows 15."""
IBAN_LENGTHS: Final = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FO GL NL",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "PT ST",
        "26": "IS TR",
        "27": "FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU",
        "31": "MT SC",
        "32": "LC",
    }.items()
    for country in countries.split()
}
"""Characters of an account number, by country."""


def card_length(found: bytes) -> int:
    """How much of digits, spaces and dashes is the number of a card, by its check digit (Luhn).

    Examples
    --------
    >>> card_length(b"4111 1111 1111 1111"), card_length(b"4111 1111 1111 1112")
    (19, 0)
    >>> card_length(b"4111 1111 1111 1111 12")
    19
    """
    text = found.decode()
    ends = [i for i, each in enumerate(text) if not each.isdigit()]
    return next((end for end in (len(text), *reversed(ends)) if _is_card(text[:end])), 0)


def _is_card(text: str) -> bool:
    digits = [int(each) for each in text if each.isdigit()]
    if len(digits) not in CARD_DIGITS or len(set(digits)) == 1:
        return False
    doubled = sum(sum(divmod(2 * each, 10)) for each in digits[-2::-2])
    return (sum(digits[-1::-2]) + doubled) % 10 == 0


def iban_length(found: bytes) -> int:
    """How much of a text is an account number, by its country and check digits (ISO 13616).

    Examples
    --------
    >>> iban_length(b"DE89 3704 0044 0532 0130 00 and more"), iban_length(b"DE88370400440532013000")
    (27, 0)
    """
    text = found.decode()
    places = [i for i, each in enumerate(text) if each != " "]
    wanted = IBAN_LENGTHS.get(text[:2].upper(), 0)
    if not 0 < wanted <= len(places):
        return 0
    end = places[wanted - 1] + 1
    packed = text[:end].replace(" ", "").upper()
    number = "".join(str(int(each, 36)) for each in packed[4:] + packed[:4])
    return end if int(number) % 97 == 1 else 0


def ip_length(found: bytes) -> int:
    """The whole length of an address of the Internet Protocol, version 4 or 6; else 0.

    Examples
    --------
    >>> ip_length(b"192.0.2.7"), ip_length(b"2001:db8::1"), ip_length(b"12:30"), ip_length(b"a::b")
    (9, 11, 0, 0)
    """
    text = found.decode()
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return 0
    return len(text) if any(each.isdigit() for each in text) else 0


def phone_length(found: bytes) -> int:
    """The whole length of a telephone number, by how many digits it has; else 0."""
    digits = [each for each in found.decode() if each.isdigit()]
    return len(found) if len(digits) in PHONE_DIGITS and len(set(digits)) > 1 else 0


_CREDENTIAL: Final = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)"
    r"|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"  # JSON web tokens
    r"|\b(?:sk|pk|rk|whsec)[-_][A-Za-z0-9_-]{16,}"
    r"|\bgh[oprsu]_[A-Za-z0-9]{20,}"
    r"|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\bhf_[A-Za-z0-9]{20,}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*"
)
_EMAIL: Final = r"[\pL\pN.!#$%&'*+/=?^_`{|}~-]+@[\pL\pN](?:[\pL\pN.-]*[\pL\pN])?\.\pL{2,}"
_IBAN: Final = r"\b[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,28}"
_CARD: Final = r"\b[0-9](?:[ -]?[0-9]){11,18}\b"
_IP: Final = (
    r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"
    r"|\b(?:[0-9A-Fa-f]{1,4}:){1,7}:\B"
    r"|\b[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:\.[0-9]{1,3}){3}\b"
    r"|\b[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}\b"
    r"|\B::(?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4}(?:\.[0-9]{1,3}){3}\b"
    r"|\B::(?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4}\b"
)
_PHONE: Final = (
    r"(?:\+|\b00)[1-9][0-9]{0,2}[ ./-]?(?:\([0-9]{1,5}\)[ ./-]?)?[0-9]{1,5}(?:[ ./-]?[0-9]{2,5}){1,5}\b"
    r"|\([0-9]{2,5}\) ?[0-9]{2,5}(?:[ ./-]?[0-9]{2,5}){0,4}\b"
    r"|\b0[0-9]{2,5}[ /-][0-9]{2,5}(?:[ /-]?[0-9]{2,5}){0,4}\b"
    r"|\b[0-9]{3}[-.][0-9]{3}[-.][0-9]{4}\b"
)

BUILT_IN: Final = (
    Kind("secret", re2.compile(_CREDENTIAL)),
    Kind("email", re2.compile(_EMAIL)),
    Kind("iban", re2.compile(_IBAN), iban_length),
    Kind("card", re2.compile(_CARD), card_length),
    Kind("ip", re2.compile(_IP), ip_length),
    Kind("phone", re2.compile(_PHONE), phone_length),
)
"""In the order in which they are looked for: what is told apart best comes first."""
