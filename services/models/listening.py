"""Hears a model while it writes."""

from collections.abc import Callable

from services.core.unveiling import Unveiling

Tell = Callable[[str], None]
"""Takes text to append to what a model wrote before; must not block."""


class Listener:
    """Passes on what a reader may see, and remembers all that has to be paid."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._unveiling = Unveiling()
        self._heard: list[str] = []

    def wrote(self, piece: str) -> None:
        """A piece of the answer's text."""
        if piece:
            self._heard.append(piece)
            self._show(self._unveiling.feed(piece))

    def unseen(self, piece: str) -> None:
        """Reasoning, or a tool call's arguments: paid for, and for nobody to read."""
        if piece:
            self._heard.append(piece)

    def ended(self) -> None:
        """The model has said all it has to say."""
        self._show(self._unveiling.rest())

    @property
    def heard(self) -> str:
        """Everything so far."""
        return "".join(self._heard)

    def _show(self, text: str) -> None:
        if text:
            self._tell(text)
