"""What speaks for an answer of prose that a cascade has in hand, as numbers that a fit can weigh."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log, log1p
from typing import Final

from judge_svc.peers import held_by_peers
from judge_svc.support import borne_out
from services.core.refusal import refuses

WORD: Final = re.compile(r"\w+")
STRESSED: Final = re.compile(r"\*\*(.+?)\*\*")
"""What an answer sets in bold is what it answers, as a rule."""
JUDGED: Final = ("agreement", "peer_numbers", "peer_names")
"""Signals of the judge that are taken."""
PAIRS: Final = 200_000
"""Comparisons that are kept: the same answers meet in every split."""

Signals = dict[str, float]
Texts = frozenset[str]


@dataclass(frozen=True, eq=False)
class Said:
    """What an answer says beyond its question. Each is itself only, so that it can be looked up."""

    text: str
    words: Texts
    stressed: Texts
    """Of the words those in bold, else all."""
    tokens: float
    """Of its output, reasoning included."""


def said(text: str, question: str, tokens: float) -> Said:
    asked = _words(question)
    every, bold = _words(text) - asked, _words(" ".join(STRESSED.findall(text))) - asked
    return Said(text, every, bold or every, tokens)


def _words(text: str) -> Texts:
    """Words without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return frozenset(WORD.findall("".join(c for c in parts if not unicodedata.combining(c))))


def signals_of(known: Sequence[Said]) -> Callable[[str, Mapping[str, Said | None]], Signals]:
    """Signals on the answer of one model by the others in hand; None was cut off and says nothing.

    They are the length of its reasoning, whether it declines, and beside each
    other answer what both say beyond the question and the judge's own signals.
    What a word weighs for being rare comes from the known answers.
    """
    seen = Counter(word for each in known for word in each.words)
    weigh = _Rarity({word: log(len(known) / count) for word, count in seen.items()}, len(known))

    def signals(model: str, hand: Mapping[str, Said | None]) -> Signals:
        own = hand[model]
        if own is None:
            raise ValueError(f"{model} gave no answer")
        found = {"tokens": log1p(own.tokens), "refuses": float(refuses(own.text))}
        for name, other in hand.items():
            if name != model:
                found |= {f"{key} {name}": v for key, v in _beside(own, other, weigh).items()}
        return found

    return signals


@dataclass(frozen=True)
class _Rarity:
    known: Mapping[str, float]
    answers: int

    def __call__(self, words: Iterable[str]) -> float:
        return sum(self.known.get(word, log(self.answers)) for word in words)


def _beside(own: Said, other: Said | None, weigh: _Rarity) -> Signals:
    """How far two answers say the same."""
    if other is None:
        names = ("held", "holds", "both", "numbers", "tokens")
        judged = (f"{way} {name}" for way in ("is", "has") for name in JUDGED)
        return dict.fromkeys((*names, *judged), 0.0) | {"silent": 1.0}
    held = _share(own.stressed, other.words, weigh)
    holds = _share(other.stressed, own.words, weigh)
    return {
        "held": held,
        "holds": holds,
        "both": min(held, holds),
        "numbers": _numbers(own, other),
        "tokens": log1p(other.tokens),
        "silent": 0.0,
        **{f"is {name}": value for name, value in _judged(own, other).items()},
        **{f"has {name}": value for name, value in _judged(other, own).items()},
    }


@lru_cache(maxsize=PAIRS)
def _judged(own: Said, other: Said) -> Signals:
    found = (*borne_out(own.text, [other.text]), *held_by_peers(own.text, [other.text]))
    return dict.fromkeys(JUDGED, 0.0) | {s.name: s.value for s in found if s.name in JUDGED}


def _share(some: Texts, every: Texts, weigh: _Rarity) -> float:
    """How much of some words stands among others."""
    total = weigh(some)
    return weigh(some & every) / total if total > 0.0 else 0.0


def _numbers(own: Said, other: Said) -> float:
    """1 where each has the numbers that the other stresses, -1 where not, 0 where there are none."""
    one, two = ({word for word in each.stressed if word.isdigit()} for each in (own, other))
    if not one and not two:
        return 0.0
    return 1.0 if one <= other.words and two <= own.words else -1.0
