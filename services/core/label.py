"""Reads which of the given labels a model answers with."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from services.core.abstention import declined
from services.core.equality import composed, fold
from services.core.extract import Reading
from services.core.stretches import MOST_CHARS, matches
from services.core.unreadable import UnreadableError
from services.core.words import negations

_MARKUP: Final = " \t\r\n*_`\"'“”„«»()[]{}<>.,:;!?#$\\"
_BOXED: Final = re.compile(r"\\boxed\{(?:\\text\{)?([^{}]{1,256})\}?\}")
_CUE: Final = re.compile(
    r"(?:answer|label|category|class|classification|verdict|choice|option|sentiment"
    r"|antwort|réponse|respuesta|resposta|risposta|ответ|答案|答え|回答)"
    r"[\s*_\"'`]*(?:is|ist|est|es|是|は|:|\uff1a|=)[\s*_\"'`(\[$]*(?=(.{1,300}))",
    re.IGNORECASE,
)
_CLAUSE: Final = re.compile(
    r"[.;:!?,\n\u3002\uff0c\uff1b]|\b(?:but|sondern|mais|sino|ma)\b", re.IGNORECASE
)
_PHRASE: Final = re.compile(
    r".\s+(?!(?:or|and|is|was|because|since|as|not|but|would|seems|oder|und|ist)\b)[a-z]"
)
_NEGATION_WORDS: Final = 3
_LINE: Final = re.compile(r"[^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
REMEMBERED: Final = 16
"""Latest sets of labels that are not looked through again: each answer is read by the same ones."""
_BEFORE_CHARS: Final = 120
_AFTER_CHARS: Final = 300


def label_in(text: str, labels: Sequence[str]) -> Reading:
    """The label that a text answers with, as declared.

    A text or a line that is a label counts first, then what follows
    `Answer:` and the like, then the only label that the text mentions without
    denying it. Two different ones at the same rank are no vote.

    Raises
    ------
    UnreadableError
        If no label or more than one is meant; the reason is UNKNOWN_LABEL.
    """
    by_form = {fold(label): label for label in reversed(labels)}
    text = composed(text)
    if fold(text) in by_form:
        return by_form[fold(text)], ()
    for candidates in (_alone(text, by_form), _cued(text, by_form), _mentioned(text, by_form)):
        found = set(candidates)
        if len(found) == 1:
            return found.pop(), ("LABEL_IN_TEXT",)
        if found:
            raise UnreadableError("UNKNOWN_LABEL", f"the answer means {len(found)} labels at once")
    raise UnreadableError("UNKNOWN_LABEL", "the answer is none of the labels")


@lru_cache(REMEMBERED)
def labels_problem(labels: tuple[str, ...]) -> str:
    """Why no answer could tell labels apart; empty when it can."""
    by_form: dict[str, str] = {}
    for label in labels:
        first = by_form.setdefault(fold(label), label)
        if first is not label:
            return f"{first!r} and {label!r} are the same without case and space"
    return "a label is blank" if "" in by_form else ""


@lru_cache(REMEMBERED)
def abstaining_label(labels: tuple[str, ...]) -> str:
    """The first label that stands for giving no answer, such as `unknown`; empty without one."""
    return next((label for label in labels if declined(label)), "")


def _alone(text: str, by_form: Mapping[str, str]) -> Iterator[str]:
    bare: dict[str, list[str]] = {}
    for form in by_form:
        bare.setdefault(fold(form.strip(_MARKUP)), []).append(form)
    for line in (*_BOXED.findall(text), *(line[0] for line in _LINE.finditer(text))):
        form = fold(line.strip(_MARKUP))
        if form and form in bare:
            yield by_form[_written(bare[form], fold(line.replace("\\", "")))]


def _written(alike: Sequence[str], line: str) -> str:
    """Of names that differ in their marks alone, such as C and C#, the longest that a line holds."""
    return max((name for name in alike if name in line), key=len, default=alike[0])


def _cued(text: str, by_form: Mapping[str, str]) -> Iterator[str]:
    longest_first = sorted(by_form, key=len, reverse=True)
    for cue in matches(_CUE, text):
        rest = cue[1]
        form = fold(rest)
        starts = (name for name in longest_first if re.match(_bounded(name), form))
        named = next(starts, None)
        if named is not None and not _is_article(named, rest):
            yield by_form[named]


def _mentioned(text: str, by_form: Mapping[str, str]) -> Iterator[str]:
    """Labels that the text names and does not deny."""
    told: set[str] = set()
    denied: set[str] = set()
    for named, at, written in _mentions(text, by_form):
        if _is_article(written, text[at : at + _AFTER_CHARS]):
            continue
        before = _clause(text[max(0, at - _BEFORE_CHARS) : at]).split()[-_NEGATION_WORDS:]
        is_denied = negations(" ".join(before)) % 2 == 1
        (denied if is_denied else told).add(by_form[named])
    yield from told - denied if len(told) == 1 else told


def _mentions(text: str, by_form: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    names = sorted(_spelt(by_form), key=lambda name: (-len(name), name))
    pattern = "|".join(_bounded(name).replace(r"\ ", r"\s+") for name in names)
    searched, most = re.compile(pattern or r"(?!)", re.IGNORECASE), MOST_CHARS // (1 + len(names))
    for match in matches(searched, text, most=most):
        form, written = fold(match[0]), match[0]
        if form not in by_form:
            continue
        if len(form) == 1 and form.isalpha() and written != by_form[form].strip():
            continue  # the letter of a word's own, such as the article in "a train"
        yield form, match.start(), written


def _spelt(by_form: Mapping[str, str]) -> set[str]:
    """Names as they are told apart, and as they were declared where that is more than case."""
    declared = (" ".join(composed(label).split()) for label in by_form.values())
    return {*filter(None, by_form), *(name for name in declared if name.lower() not in by_form)}


def _bounded(form: str) -> str:
    return f"{_edge(form[0], '(?<!{})')}{re.escape(form)}{_edge(form[-1], '(?!{})')}"


def _edge(char: str, around: str) -> str:
    if char.isascii() and char.isalnum():
        return around.format("[A-Za-z0-9_]")  # "答案是B": scripts without spaces may touch
    is_wide = unicodedata.east_asian_width(char) in "WF" or not char.isalnum()
    return "" if is_wide else around.format(r"\w")


def _is_article(name: str, rest: str) -> bool:
    """Whether a one-letter name rather begins a phrase, as in "A train"."""
    return name.casefold() in ("a", "i") and _PHRASE.match(rest) is not None


def _clause(before: str) -> str:
    return _CLAUSE.split(before)[-1]
