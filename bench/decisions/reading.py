"""How short recorded answers are read: as numbers, letters, mathematics or Python literals."""

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
    latex = any(LATEX.search(text) for text in texts)
    return mathematics if latex and numeric >= SOME else literal


def _share(told: Iterable[bool]) -> float:
    found = list(told)
    return sum(found) / len(found) if found else 0.0


def is_a_number(text: str) -> bool:
    """Whether a text is one number and nothing else but signs."""
    told = plain(text)
    return len(numbers_in(told)) == 1 and not re.search(r"[A-Za-z=]", told)


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


def literal(answer: object) -> Ballot:
    """The ballot of a Python value; quotes around it do not count, as in the recorded grades."""
    if answer is None:
        return Ballot("", reason="EMPTY")
    text = str(answer).strip()
    if text[:1] in {"'", '"'} and text[-1:] == text[:1] and len(text) > 1:
        inner = _evaluated(text)
        text = inner if isinstance(inner, str) else text[1:-1]
    value = _evaluated(text)
    key = repr(text if value is None and text != "None" else value)
    return Ballot(key, key)


def _evaluated(text: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value: object = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value
