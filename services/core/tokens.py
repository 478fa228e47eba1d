"""How many tokens a text takes, where no tokenizer is asked."""

import math
import re
from typing import Final

IDEOGRAPHS: Final = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
"""Han, kana, Hangul: scripts whose every character is worth a word piece."""


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text, in any script.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    int
        At least 0; 0 only for the empty text.

    Notes
    -----
    Byte-pair vocabularies hold about 4 ASCII characters a token, 2 of other
    alphabets, and one token or more for an ideograph. The estimate is meant to
    err upwards: a prompt that does not fit costs a failed call, and a call
    whose provider gave no count must not look cheap. O(n).

    Examples
    --------
    >>> text_tokens("What is the capital of France?")
    8
    >>> text_tokens("法国的首都")
    5
    """
    ascii_chars = len(text.encode("ascii", "ignore"))
    ideographs = sum(1 for _ in IDEOGRAPHS.finditer(text)) if ascii_chars < len(text) else 0
    others = len(text) - ascii_chars - ideographs
    return math.ceil(ascii_chars / 4 + others / 2 + ideographs)
