"""What of an answer stands in the texts that it should be faithful to. Pure.

| signal    | 1.0 when                                                                      |
|-----------|-------------------------------------------------------------------------------|
| numbers   | every number stands in the context                                            |
| names     | every name does                                                               |
| quotes    | every quotation does, word for word                                           |
| negation  | no sentence denies where the nearest ones of the context do not               |
| opposites | no word stands for its opposite in the context                                |
| recall    | every word that carries meaning stands there                                  |
| reworded  | 0.0 when it brings no new plain word; a paraphrase has some, a changed fact one |

None of them decides alone: a faithful summary uses new words, and a false one may use none. They
are evidence, weighed by a fit. Embeddings add nothing to them: a sentence and its negation, or one
with another number, lie next to each other there.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from judge_svc.opposites import opposite_in
from judge_svc.wording import EMPTY, Sentence, sentences, stem
from services.core.numerals import NUMERAL, plain, values

NEAREST: Final = 2
"""Sentences of the context that one of the answer is held against."""
QUOTE: Final = re.compile(r'"([^"\n]{8,300})"|\u201c([^\u201d\n]{8,300})\u201d|«([^»\n]{8,300})»')
MAX_NAMED: Final = 5
"""Things that an evidence names."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One piece of evidence on an answer."""

    name: str
    value: float
    """In [0, 1]."""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer should be faithful to, read once."""

    sentences: tuple[Sentence, ...]
    words: frozenset[str]
    stems: frozenset[str]
    """Of all words, those that carry no meaning too."""
    listed: tuple[str, ...]
    """The words in order."""
    numbers: frozenset[Fraction]
    squeezed: str
    """The text without anything but letters and digits, for quotations."""


def context_of(texts: Iterable[str]) -> Context:
    text = "\n".join(texts)
    found = sentences(text)
    words = frozenset(word for each in found for word in each.lower)
    return Context(
        sentences=found,
        words=words,
        stems=frozenset(map(stem, words)),
        listed=tuple(sorted(words)),
        numbers=frozenset(v for n in NUMERAL.findall(plain(text)) for v in values(n)),
        squeezed=_squeezed(text),
    )


def grounded(answer: str, context: Context) -> tuple[Signal, ...]:
    """Signals of an answer, in the order of the table; none where either says nothing.

    Examples
    --------
    >>> told = grounded("Sales fell by 7 %.", context_of(["Sales rose by 5 %."]))
    >>> [(signal.name, signal.evidence) for signal in told if signal.evidence]
    [('numbers', '7'), ('opposites', 'fell for rose'), ('reworded', 'fell')]
    """
    said = sentences(answer)
    if not said or not context.sentences:
        return ()
    telling = [word for each in said for word in each.words if word.casefold() not in EMPTY]
    worded = [word for word in telling if not word[0].isdigit()]
    new = [word for word in worded if stem(word.casefold()) not in context.stems]
    return (
        _fewer("numbers", [n for n in numbers_in(answer) if not has_number(context, n)]),
        _fewer("names", [name for name in names_in(said) if name in new]),
        _fewer("quotes", [q for q in quotes_in(answer) if not has_quote(context, q)]),
        _fewer("negation", [each.text for each in said if _denies(each, context)]),
        _fewer("opposites", list(_opposites(said, context))),
        Signal("recall", 1.0 - len(new) / max(1, len(worded))),
        _share("reworded", [word for word in new if word[0].islower()], len(telling)),
    )


def _fewer(name: str, against: Sequence[str]) -> Signal:
    """1 for none, 1/2 for one thing that speaks against the answer, 1/3 for two."""
    return Signal(name, 1.0 / (1.0 + len(against)), named(against))


def _share(name: str, found: Sequence[str], of: int) -> Signal:
    return Signal(name, len(found) / max(1, of), named(found))


def named(found: Sequence[str]) -> str:
    """The first of what was found, each once, and how many more there are."""
    once = list(dict.fromkeys(found))
    more = len(once) - MAX_NAMED
    return "; ".join([*once[:MAX_NAMED], *([f"and {more} more"] if more > 0 else [])])


def numbers_in(answer: str) -> list[str]:
    """The numbers of an answer as it writes them."""
    return NUMERAL.findall(plain(answer))


def has_number(context: Context, numeral: str) -> bool:
    return bool(values(numeral) & context.numbers)


def names_in(said: Sequence[Sentence]) -> list[str]:
    """Telling words with a capital that none of the sentences begins with."""
    passed_over = {each.words[0] for each in said}
    words = [word for each in said for word in each.words if word.casefold() not in EMPTY]
    return [word for word in words if word[0].isupper() and word not in passed_over]


def quotes_in(answer: str) -> list[str]:
    return ["".join(groups) for groups in QUOTE.findall(answer)]


def has_quote(context: Context, quote: str) -> bool:
    """Whether a quotation stands there but for marks, blanks and case."""
    return _squeezed(quote) in context.squeezed


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _denies(said: Sentence, context: Context) -> bool:
    if not said.negations:
        return False
    return not any(each.negations for each in nearest(said, context.sentences))


def _opposites(said: Sequence[Sentence], context: Context) -> Iterable[str]:
    for each in said:
        for word in each.lower:
            if word not in context.words and (other := opposite_in(word, context.listed)):
                yield f"{word} for {other}"


def nearest(said: Sentence, known: Sequence[Sentence]) -> list[Sentence]:
    """The sentences that hold most of what one says, best first; none that holds nothing of it."""
    shared = [(len(said.stems & each.stems), each) for each in known]
    ranked = sorted(shared, key=lambda pair: -pair[0])
    return [each for count, each in ranked[:NEAREST] if count]
