"""What must never be delivered: secrets, personal numbers, incitement to self-harm. Pure.

The list is short and each entry has a form of its own, so that a hit is hardly ever wrong:

- private keys in PEM armour
- access keys of AWS, GitHub, GitLab, Slack, Stripe (live), Google, OpenAI, Anthropic
- payment card numbers that satisfy Luhn's sum, those published for testing excepted
- IBANs that satisfy their checksum
- being told to kill oneself

Whatever stands in the question or its passages already is no exposure. Names, addresses, e-mail and
telephone numbers are not looked for: most answers with one are right to give it.
"""

# ruff: noqa: RUF001  (patterns are written in their own scripts)

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.core.numerals import plain

SECRETS: Final = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{40,}",
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,})\b",
    "GitLab token": r"\bglpat-[\w-]{20,}\b",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{20,}\b",
    "Stripe live key": r"\b[rs]k_live_[A-Za-z0-9]{20,}\b",
    "Google API key": r"\bAIza[\w-]{35}\b",
    "OpenAI key": r"\bsk-(?!ant-)(?:proj-)?[A-Za-z0-9_-]{40,}\b",
    "Anthropic key": r"\bsk-ant-[A-Za-z0-9_-]{40,}\b",
}
SECRET: Final = {name: re.compile(pattern) for name, pattern in SECRETS.items()}
CARD: Final = re.compile(r"(?<!\d)(?<!\d[.,-])\d(?:[ -]?\d){12,18}(?!\d|[.,-]\d)")
IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
TEST_CARDS: Final = frozenset(
    {"4111111111111111", "4242424242424242", "4012888888881881", "5555555555554444",
     "5105105105105100", "2223003122003222", "378282246310005", "371449635398431",
     "6011111111111117", "6011000990139424", "30569309025904", "38520000023237",
     "3530111333300000", "3566002020360505"}
)  # fmt: skip
"""Numbers that card networks and payment providers publish for testing."""
TEST_IBANS: Final = frozenset(
    {"GB82WEST12345698765432", "GB29NWBK60161331926819", "DE89370400440532013000",
     "FR1420041010050500013M02606", "NL91ABNA0417164300", "ES9121000418450200051332"}
)  # fmt: skip
"""Numbers that the standard and its registry print as examples."""
INCITEMENT: Final = re.compile(
    r"""\b(?:you\ should|just|go(?:\ and)?|please)\ kill\ yourself\b
    | \bdu\ solltest\ dich\ (?:umbringen|töten)\b | \bbring\ dich\ (?:doch\ )?um\b
    | \b(?:tu\ devrais|va)\ te\ (?:suicider|tuer)\b | \bdeberías\ (?:suicidarte|matarte)\b
    | \bтебе\ (?:надо|следует|стоит)\ убить\ себя\b | \bубей\ себя\b
    | 你应该去?(?:自杀|死) | 死ねばいい | يجب\ أن\ تقتل\ نفسك""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Something that must not be delivered."""

    kind: str
    """`secret`, `pii` or `safety`."""
    what: str
    """Its name; never the thing itself."""


def exposures(text: str, *, known: str) -> list[Exposure]:
    """What a text gives away that is not in `known`, the question and its passages."""
    given = _squeezed(known)
    found = [*_secrets(text), *_cards(text), *_ibans(text), *_incitements(text)]
    return [exposure for exposure, literal in found if _squeezed(literal) not in given]


Found = Iterator[tuple[Exposure, str]]


def _secrets(text: str) -> Found:
    for name, pattern in SECRET.items():
        for match in pattern.finditer(text):
            yield Exposure("secret", name), match.group()


def _cards(text: str) -> Found:
    for match in CARD.finditer(plain(text)):
        digits = re.sub(r"\D", "", match.group())
        if (
            digits not in TEST_CARDS
            and len(set(digits)) > 2
            and digits[0] in "23456"
            and luhn(digits)
        ):
            yield Exposure("pii", "payment card number"), match.group()


def _ibans(text: str) -> Found:
    for match in IBAN.finditer(text):
        iban = match.group().replace(" ", "")
        if iban not in TEST_IBANS and 15 <= len(iban) <= 34 and mod_97(iban):
            yield Exposure("pii", "bank account number (IBAN)"), match.group()


def _incitements(text: str) -> Found:
    for match in INCITEMENT.finditer(unicodedata.normalize("NFKC", text).casefold()):
        yield Exposure("safety", "incitement to self-harm"), match.group()


def _squeezed(text: str) -> str:
    return re.sub(r"[\s-]+", "", plain(unicodedata.normalize("NFKC", text))).casefold()


def luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others.

    References
    ----------
    .. [1] ISO/IEC 7812-1, Annex B.

    Examples
    --------
    >>> luhn("79927398713"), luhn("79927398710")
    (True, False)
    """
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def mod_97(iban: str) -> bool:
    """Whether an IBAN without spaces satisfies its checksum.

    References
    ----------
    .. [1] ISO 13616-1; ISO/IEC 7064, MOD 97-10.

    Examples
    --------
    >>> mod_97("GB82WEST12345698765432"), mod_97("GB83WEST12345698765432")
    (True, False)
    """
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1
