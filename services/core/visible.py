"""Cuts a model's reasoning off what it means to say."""

import re
from typing import Final

_INK: Final = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Whatever Unicode does not let a reader ignore (Default_Ignorable_Code_Point), nor is blank."""
OPENING: Final = re.compile(r"<(think|thinking)>", re.IGNORECASE)
ANY_TAG: Final = re.compile(r"</?(think|thinking)>", re.IGNORECASE)
_CLOSE: Final = re.compile(r"</(?:think|thinking)>", re.IGNORECASE)
MAX_ROUNDS: Final = 8
"""A text from which still more could be cut after so many rounds shows nothing."""


def visible_text(text: str, *, begun: bool = False) -> str:
    """What a reader should see: the text without its reasoning, stripped.

    Closed blocks go wherever they stand; an unclosed one goes with everything
    after it when it begins a line, and so does reasoning whose opening tag the
    chat template had already written. `begun`: it is known to have done so,
    and a text without any tag is reasoning that was cut. A text of characters
    that nobody can see, such as U+200B, is empty. What was made visible stays as
    it is.
    """
    shown = _parted(_after_beginning(text) if begun else text)[0]
    return shown if _INK.search(shown) else ""


def is_cut_in_reasoning(text: str) -> bool:
    """Whether a block of reasoning was begun and never closed."""
    return _parted(text)[1]


def _parted(text: str) -> tuple[str, bool]:
    """The visible text, and whether reasoning is left open.

    What is cut may bring together what then reads as reasoning, so it is cut
    until nothing is left to cut. No model writes what takes many rounds.
    """
    was_open = False
    for _ in range(MAX_ROUNDS):
        if "<" not in text:
            return text.strip(), was_open
        kept, is_open = _cut_once(text)
        was_open |= is_open
        if kept == text:
            return kept, was_open
        text = kept
    return "", was_open


def _cut_once(text: str) -> tuple[str, bool]:
    text, kept, at = _without_headless(text), list[str](), 0
    while opening := OPENING.search(text, at):
        kept.append(text[at : opening.start()])
        closing = closing_of(opening.group(1)).search(text, opening.end())
        if closing is None:
            shown = "".join(kept)
            if not shown.strip(" \t") or shown.rstrip(" \t").endswith("\n"):
                return shown.strip(), True
            at = opening.start()
            break
        at = closing.end()
    return "".join([*kept, text[at:]]).strip(), False


def _after_beginning(text: str) -> str:
    """A text that begins in reasoning, without that; nothing is left of what has no tag."""
    tag = ANY_TAG.search(text)
    if tag is None:
        return ""
    return text[tag.end() :] if tag[0].startswith("</") else text[tag.start() :]


def _without_headless(text: str) -> str:
    """A text without all that ends in a closing tag before any opening one."""
    opening = OPENING.search(text)
    end = opening.start() if opening else len(text)
    last = max((tag.end() for tag in _CLOSE.finditer(text, 0, end)), default=0)
    return text[last:]


def closing_of(tag: str) -> re.Pattern[str]:
    """What ends the reasoning that a tag of that name begins."""
    return re.compile(rf"</{tag}>", re.IGNORECASE)
