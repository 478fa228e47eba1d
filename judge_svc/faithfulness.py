"""Whether an answer cites passages that exist, and numbers that stand in them. Pure."""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from judge_svc.arithmetic import CODE
from services.core.numerals import NUMERAL, plain, values
from services.core.prompts import Passage

CITATION: Final = re.compile(r"(?<![\w\])])[\[【]([^\[\]【】\n]{1,200})[\]】](?!\()")
"""`[p1]`, `[1, 2]`, `【p1】`; not `array[1]`, `m[1][2]` or a link."""
SEPARATOR: Final = re.compile(r"\s*[,;]\s*")
LIST_MARK: Final = re.compile(r"^[^\S\n]*(?:\(?\d{1,3}[.)]|#+)\s", re.MULTILINE)
SMALL: Final = 10
"""Integers up to this are counted, not claimed."""


def unknown_citations(text: str, passages: Sequence[Passage]) -> list[str]:
    """Ids that a text cites and no passage has.

    A bracket counts as a citation if what it holds is built like the ids of the
    passages: with ids `p1` and `p2`, `[p7]` is one, `[sic]` and `[7]` are not.
    """
    ids = {passage.id.casefold() for passage in passages}
    builds = {_build(passage_id) for passage_id in ids}
    cited = (part for group in _citations(text) for part in SEPARATOR.split(group.strip()))
    unknown = [part for part in cited if _build(part) in builds and part.casefold() not in ids]
    return list(dict.fromkeys(unknown))


def unsupported_numbers(text: str, sources: Iterable[str]) -> tuple[int, list[str]]:
    """How many numbers a text claims, and those that stand in no source.

    Numbers are compared by value, whatever their script or decimal mark. List
    marks, citations, code and integers up to ten are passed over.
    """
    known = {value for source in sources for value in _values(plain(source))}
    bare = LIST_MARK.sub(" ", CITATION.sub(" ", CODE.sub(" ", plain(text))))
    claimed = [numeral for numeral in NUMERAL.findall(bare) if not _is_small(values(numeral))]
    unsupported = [numeral for numeral in claimed if not values(numeral) & known]
    return len(claimed), list(dict.fromkeys(unsupported))


def _citations(text: str) -> list[str]:
    return CITATION.findall(CODE.sub(" ", text))


def _build(name: str) -> str:
    """How an id is built: `p12` and `p7` alike, `doc-3` and `[sic]` not."""
    return (
        re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", name.strip().casefold()))
        if _digit(name)
        else name
    )


def _digit(name: str) -> bool:
    return any(char.isdigit() for char in name)


def _values(text: str) -> set[Fraction]:
    return {value for numeral in NUMERAL.findall(text) for value in values(numeral)}


def _is_small(meanings: frozenset[Fraction]) -> bool:
    return any(value.denominator == 1 and value <= SMALL for value in meanings)
