"""Cuts a model's reasoning off its text while it is still being written."""

import re
from typing import Final

from services.core.visible import ANY_TAG, OPENING, closing_of

TAGS: Final = ("<think>", "<thinking>")
LONGEST_TAG: Final = len("</thinking>")


class Unveiling:
    """Takes a text piece by piece and gives the pieces that a reader may see.

    What could be the beginning of a tag is held back until it is known.
    Reasoning whose opening tag the chat template wrote is held back only if
    that is known from the beginning.
    """

    def __init__(self) -> None:
        self._held = ""
        self._ending: re.Pattern[str] | None = None
        """What ends the reasoning that is being written, if any is."""

    def begin(self) -> None:
        """What comes next is reasoning whose opening tag is not there to be seen."""
        self._ending = ANY_TAG

    def feed(self, piece: str) -> str:
        """What may be shown now, perhaps nothing."""
        self._held += piece
        shown = ""
        while True:
            if self._ending is None:
                visible, began = self._until_reasoning()
                shown += visible
                if not began:
                    return shown
            elif not self._has_ended(self._ending):
                return shown

    def rest(self) -> str:
        """What was held back and turned out to be no tag."""
        held, self._held = self._held, ""
        return held if self._ending is None else ""

    def _until_reasoning(self) -> tuple[str, bool]:
        """Visible text up to the next block of reasoning, and whether one begins there."""
        if opening := OPENING.search(self._held):
            visible, self._held = self._held[: opening.start()], self._held[opening.end() :]
            self._ending = closing_of(opening.group(1))
            return visible, True
        held = _possible_tag(self._held)
        visible, self._held = self._held[: len(self._held) - len(held)], held
        return visible, False

    def _has_ended(self, ending: re.Pattern[str]) -> bool:
        """Drop reasoning as far as it goes; an opening tag within only tells how it will end."""
        tag = ending.search(self._held)
        if tag is None:
            self._held = self._held[-LONGEST_TAG:]
            return False
        self._held = self._held[tag.end() :]
        self._ending = None if tag[0].startswith("</") else closing_of(tag[1])
        return True


def _possible_tag(text: str) -> str:
    """The end of a text that may become an opening tag; empty if none may."""
    start = text.rfind("<")
    tail = text[start:].lower() if start >= 0 else ""
    return text[start:] if tail and any(tag.startswith(tail) for tag in TAGS) else ""
