"""How short answers are read: as numbers, letters, mathematics, Python literals or words."""

import ast
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from services.core.canonical import Ballot, ballot, prose_ballot
from services.core.mathematics import plain
from services.core.number import numbers_in
from services.core.prompts import OutputFormat

MOSTLY: Final = 0.9
"""Share of the reference answers that tells what is asked for."""
SOME: Final = 0.3
"""The same of numbers, where the others are expressions in LaTeX."""
LETTER: Final = re.compile(r"\(?([A-Za-z])\)?\.?")
LATEX: Final = re.compile(r"\\[A-Za-z]+|\^")
SIZES: Final = re.compile(r"\\(?:left|right|displaystyle|[!,;: ])|\$|\s")
BOXED: Final = re.compile(r"\\boxed\{(.*)\}", re.DOTALL)

Reader = Callable[[object], Ballot]


def reader(references: Sequence[object]) -> Reader:
    """What reads answers to questions with these reference answers."""
    texts = [str(each).strip() for each in references if each is not None]
    if _share(LETTER.fullmatch(text) is not None for text in texts) >= MOSTLY:
        return letter
    numeric = _share(is_a_number(text) for text in texts)
    if numeric >= MOSTLY:
        return number
    if any(LATEX.search(text) for text in texts) and numeric >= SOME:
        return mathematics
    return literal if _share(is_a_literal(text) for text in texts) >= MOSTLY else phrase


def _share(told: Iterable[bool]) -> float:
    found = list(told)
    return sum(found) / len(found) if found else 0.0


def is_a_number(text: str) -> bool:
    """Whether a text is one number and nothing else but signs."""
    told = plain(text)
    return len(numbers_in(told)) == 1 and not re.search(r"[A-Za-z=]", told)


def is_a_literal(text: str) -> bool:
    """Whether Python reads a text as a value."""
    return _evaluated(text, otherwise=text) is not text


def number(answer: object) -> Ballot:
    text = "" if answer is None else str(answer)
    return ballot(text, (), output_format=OutputFormat(kind="number"), tools=())


def letter(answer: object) -> Ballot:
    """The ballot of a choice, with or without brackets."""
    text = "" if answer is None else str(answer).strip()
    found = LETTER.fullmatch(text)
    told = found[1] if found else text
    return prose_ballot(told) if told else Ballot("", reason="EMPTY")


def mathematics(answer: object) -> Ballot:
    """The ballot of a number, or of an expression without what only lays it out."""
    text = "" if answer is None else str(answer).strip()
    found = BOXED.search(text)
    bare = found[1] if found else text
    if is_a_number(bare):
        return number(bare)
    laid_out = SIZES.sub("", bare.replace("dfrac", "frac").replace("tfrac", "frac"))
    return Ballot(laid_out, laid_out, reason="" if laid_out else "EMPTY")


def phrase(answer: object) -> Ballot:
    """The ballot of words or a value, whatever blanks stand around it."""
    return literal(None if answer is None else str(answer).strip())


def literal(answer: object) -> Ballot:
    """The ballot of a Python value; quotes around it do not count, as in the recorded grades.

    What is no literal is a string as it stands, and blanks within quotes are kept.
    Whatever Python would spell otherwise had to be mended.
    """
    if answer is None:
        return Ballot("", reason="EMPTY")
    text = str(answer)
    key = repr(_meant(text))
    return Ballot(key, key, () if _spelled(text) == _spelled(key) else ("RESPELLED",))


def _meant(text: str) -> object:
    """The value that a text spells, within quotes or without."""
    bare = text.strip()
    value = _evaluated(bare, otherwise=text)
    if value is text and bare[:1] in {"'", '"'} and bare[-1:] == bare[:1] and len(bare) > 1:
        value = bare[1:-1]
    if isinstance(value, str) and value == value.strip():
        return _evaluated(value, otherwise=value)
    return value


def _spelled(text: str) -> str:
    """A text without what Python is free to choose: blanks, and which quotes."""
    return "".join(text.split()).replace('"', "'")


def _evaluated(text: str, *, otherwise: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value: object = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return otherwise
    return value
