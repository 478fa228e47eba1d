"""What a sentence embedding does not see: numbers, negation, refusal."""

import re
from typing import Final

from services.core.number import numbers_in

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
_LIST_MARK: Final = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_REFUSAL: Final = re.compile(
    r"\b(i|we)('m| am| are|'re)? (can ?not|can't|won't|unable to|not able to)"
    r" (help|assist|provide|answer|comply|fulfil|do|support|share|give|discuss|create|write)"
    r"|\bi('m| am) (unable|not able) to\b"
    r"|\bi (must|have to) (decline|refuse)\b"
    r"|\bas an ai( language model)?\b"
    r"|\bich kann (dabei|dir|ihnen|das) .{0,30}nicht"
    r"|\bje ne peux pas\b|\bno puedo (ayudar|proporcionar|responder)\b"
    r"|我(无法|不能)(提供|帮助|回答)",
    re.IGNORECASE,
)
_REFUSAL_CHARS: Final = 300


def numerals(text: str) -> tuple[str, ...]:
    """The different numbers in a text, sorted; the marks of a numbered list are none."""
    return tuple(sorted({str(n) for n in numbers_in(_LIST_MARK.sub("", text))}))


def negations(text: str) -> int:
    """How many words negate, in a dozen languages."""
    words = (word.casefold() for word in _WORD.findall(_straight(text)))
    return sum(map(_negates, words)) + len(_UNSPACED_NEGATION.findall(text))


def _negates(word: str) -> bool:
    return word in NEGATIONS or word.endswith("n't")


def _straight(text: str) -> str:
    return text.replace("\u2019", "'")


def is_refusal(text: str) -> bool:
    """Whether a text begins by declining to answer."""
    return _REFUSAL.search(_straight(text[:_REFUSAL_CHARS])) is not None
