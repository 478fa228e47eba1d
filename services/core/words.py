"""What a sentence embedding does not see: numbers and negation."""

import re
from typing import Final

from services.core.number import numbers_in
from services.core.stretches import stretches

NEGATIONS: Final = frozenset(
    word
    for language in (
        "not no never none neither nor without cannot",
        "nicht kein keine keinen keiner keinem nie niemals ohne weder",
        "pas jamais aucun aucune sans",
        "nunca ningún ninguna sin ni tampoco",
        "non mai senza nessuno",
        "não nem sem",
        "niet geen nooit zonder",
        "inte ingen aldrig ikke",
        "bez nigdy",
        "не нет ни без никогда",
    )
    for word in language.split()
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_UNSPACED_NEGATION: Final = re.compile("[不没沒無无]|ません|ない|않|없")
_LIST_MARK: Final = re.compile(r"^[^\S\n]*\d+[.)]\s", re.MULTILINE)


def numerals(text: str) -> frozenset[str]:
    """The different numbers in a text; the marks of a numbered list are none."""
    parts = stretches(text)
    return frozenset(str(n) for part in parts for n in numbers_in(_LIST_MARK.sub("", part)))


def negations(text: str) -> int:
    """How many words negate, in a dozen languages."""
    return sum(map(_negations, stretches(text)))


def _negations(stretch: str) -> int:
    straight = stretch.replace("\u2019", "'")
    words = (word.casefold() for word in _WORD.findall(straight))
    return sum(map(_negates, words)) + len(_UNSPACED_NEGATION.findall(stretch))


def _negates(word: str) -> bool:
    return word in NEGATIONS or word.endswith("n't")
