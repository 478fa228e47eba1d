"""What a judge model quotes of an answer, and what it says beside its verdict. Pure."""

import re
from typing import Final

from judge_svc.checks import Span

SHORTEST: Final = 3
"""Letters and digits of a quotation that is not found letter by letter."""
NEGATES: Final = (
    r"(?:no|not|none|nothing|never|neither|nor|without|cannot|\w+n['\u2019]t|free\s+of)"
)
_OBJECTING: Final = r"""reject\w*|fail(?:s|ed|ing|ures?)?|refus(?:e|es|ed)|unsafe|unacceptable
|incorrect|inaccurate|wrong|harmful|unsupported|contradict\w*|misleading|fabricat\w*|made[ ]up"""
_APPROVING: Final = r"pass\w*|accept\w*|approv\w*|correct|safe|supported|true|right|valid"
OBJECTS: Final = re.compile(
    rf"""\b(?P<denied>{NEGATES}\s+(?:\w+\s+){{0,2}}(?:{_APPROVING}))\b
    |(?P<free>\b{NEGATES}\s+(?:\w+\s+){{0,3}})?\b(?P<against>{_OBJECTING})\b
    |(?P<other>["']?pass["']?\s*:\s*["']?false)""",
    re.IGNORECASE | re.VERBOSE,
)
"""English words of an objection; `free`: they are denied, so that they are none."""


def objection(prose: str) -> str:
    """The words that object to an answer; empty without any.

    Examples
    --------
    >>> objection("Overall: fail"), objection("I find nothing wrong with it.")
    ('fail', '')
    >>> objection("It does not pass.")
    'not pass'
    """
    for found in OBJECTS.finditer(prose):
        words = found["denied"] or found["other"] or ("" if found["free"] else found["against"])
        if words:
            return words
    return ""


def span_of(quote: str, text: str) -> Span | None:
    """Where a text has the words of a quotation; None where it has not.

    Marks, blanks and case may differ: they are what a model copies worst.

    Examples
    --------
    >>> span_of("rose by 5", "Sales  ROSE by 5 %."), span_of("fell", "Sales rose.")
    ((7, 16), None)
    """
    bare = quote.strip()
    if bare and (start := text.find(bare)) >= 0:
        return start, start + len(bare)
    letters, places = _squeezed(text)
    wanted, _ = _squeezed(bare)
    start = letters.find(wanted)
    if start < 0 or len(wanted) < SHORTEST:
        return None
    return places[start], places[start + len(wanted) - 1] + 1


def _squeezed(text: str) -> tuple[str, list[int]]:
    """Letters and digits in lower case, and where each stands in the text."""
    found = [(low, i) for i, char in enumerate(text) if char.isalnum() for low in char.casefold()]
    return "".join(low for low, _ in found), [i for _, i in found]
