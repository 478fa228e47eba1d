"""Numbers and texts as people read them. Pure."""

from typing import Final

LAYOUT: Final = "\n\t"
HIDDEN: Final = {n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160)) if chr(n) not in LAYOUT}
"""Characters that tell a terminal what to do, and how they are shown instead."""


def harmless(text: str) -> str:
    r"""A text of a model, which cannot move the cursor or change what was written before.

    Examples
    --------
    >>> print(harmless("Paris\x1b[2J"))
    Paris\x1b[2J
    """
    return text.translate(HIDDEN)


def counted(number: int, word: str) -> str:
    """How many there are.

    Examples
    --------
    >>> counted(1, "warning"), counted(1200, "model call"), counted(2, "class")
    ('1 warning', '1,200 model calls', '2 classes')
    """
    many = f"{word}es" if word.endswith("s") else f"{word}s"
    return f"{number:,} {word if number == 1 else many}"
