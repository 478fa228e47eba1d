"""Finds numbers that have check digits: payment cards and bank accounts. Pure, one pass each."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

Span = tuple[int, int]
"""First place, and that behind the last."""

SEPARATORS: Final = b" -"
GROUP: Final = re.compile(rb"[0-9]+")
LONG: Final = 4
"""Digits of a group of a card's number; the last one may have fewer."""
MOST_DIGITS: Final = 19
YEARS: Final = range(1500, 2200)
ISSUED: Final = re.compile(
    rb"4(?:.{12}|.{15}|.{18})|3[47].{13}|3[0689].{12,17}|35.{14,17}"
    rb"|[56].{11,18}|2[2-7].{14}|[89].{15}|1.{14}"
)
"""Beginnings and lengths of numbers that networks of cards give out."""
DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")

ACCOUNT: Final = re.compile(rb"\b[A-Za-z]{2}[0-9]{2}")
ACCOUNT_LENGTHS: Final = {
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
UPPER: Final = bytes.maketrans(bytes(range(97, 123)), bytes(range(65, 91)))
VALUES: Final = {ord(char): str(int(char, 36)) for char in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def cards(stretch: bytes) -> Iterator[Span]:
    """Numbers of cards in groups of digits, by their check digit (Luhn).

    Examples
    --------
    >>> list(cards(b"4111 1111 1111 1111 12")), list(cards(b"4111 1111 1111 1112"))
    ([(0, 19)], [])
    """
    groups = [found.span() for found in GROUP.finditer(stretch)]
    first = 0
    while first < len(groups):
        last = _last_group(stretch, groups, first)
        if last >= first:
            yield groups[first][0], groups[last][1]
        first = max(first, last) + 1


def _last_group(stretch: bytes, groups: Sequence[Span], first: int) -> int:
    """The last group of the longest number of a card that begins with the first; else -1."""
    start, found, digits = groups[first][0], -1, 0
    if _is_year(stretch[slice(*groups[first])]):
        return -1
    for nth in range(first, len(groups)):
        begin, end = groups[nth]
        digits += end - begin
        if digits > MOST_DIGITS:
            break
        if _is_card(stretch[start:end].translate(None, SEPARATORS)):
            found = nth
        if end - begin < LONG:
            break
    return found


def _is_year(group: bytes) -> bool:
    """Whether it says a year: several of them are no card."""
    return len(group) == LONG and int(group) in YEARS


def _is_card(digits: bytes) -> bool:
    if ISSUED.fullmatch(digits) is None or digits.count(digits[:1]) == len(digits):
        return False
    doubled = digits[-2::-2].translate(DOUBLED)
    return (sum(digits[-1::-2]) + sum(doubled) - ord("0") * len(digits)) % 10 == 0


def accounts(stretch: bytes) -> Iterator[Span]:
    """Numbers of accounts in letters and digits, by country and check digits (ISO 13616).

    Examples
    --------
    >>> list(accounts(b"DE89 3704 0044 0532 0130 00 and more")), list(accounts(b"DE88370400440532013000"))
    ([(0, 27)], [])
    """
    after = 0
    for found in ACCOUNT.finditer(stretch):
        start = found.start()
        if start >= after and (length := _account_length(stretch, start)):
            after = start + length
            yield start, after


def _account_length(stretch: bytes, start: int) -> int:
    """How much of a stretch is the number of an account, from a place on; else 0."""
    wanted = ACCOUNT_LENGTHS.get(stretch[start : start + 2].decode().upper(), 0)
    near = stretch[start : start + 2 * wanted]
    packed = near.translate(UPPER, SEPARATORS)[:wanted]
    if len(packed) < max(wanted, 1):
        return 0
    number = "".join([VALUES[each] for each in packed[4:] + packed[:4]])
    return _length_of(near, wanted) if int(number) % 97 == 1 else 0


def _length_of(near: bytes, wanted: int) -> int:
    """How long a text is up to so many characters that separate nothing."""
    places = [at for at, each in enumerate(near) if each not in SEPARATORS]
    return places[wanted - 1] + 1
