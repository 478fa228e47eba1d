"""Hears a model while it writes."""

from collections.abc import Callable
from time import monotonic

from services.core.answers import Usage
from services.core.unveiling import Unveiling
from services.core.visible import visible_text

Tell = Callable[[str], None]
"""Takes text to append to what a model wrote before; must not block."""


class Listener:
    """Passes on what a reader may see, and remembers all that has to be paid."""

    def __init__(self, tell: Tell, *, at_once: bool = False) -> None:
        """`at_once`: tell nothing before the answer is known, and then all of it."""
        self._tell = tell
        self._at_once = at_once
        self._unveiling = Unveiling()
        self._heard: list[str] = []
        self._showed = False
        self.first_at: float | None = None
        """When the first piece came, on the monotonic clock; None: none did."""
        self.on_piece: Callable[[], None] | None = None
        """Told of each piece, whoever may see it; must not block."""
        self.on_claim: Callable[[], None] | None = None
        """Told before a piece or the end: nobody else may write for the same reader from then on."""
        self.used: Usage | None = None
        """What the provider last said that the call has used so far; None: nothing."""

    def beside(self) -> "Listener":
        """A listener to another call for the same reader, who must hear but one of them."""
        return Listener(self._tell, at_once=self._at_once)

    def wrote(self, piece: str) -> None:
        """A piece of the answer's text."""
        if piece:
            self._hear(piece)
            if not self._at_once:
                self._show(self._unveiling.feed(piece))

    def unseen(self, piece: str) -> None:
        """Reasoning, or a tool call's arguments: paid for, and for nobody to read."""
        if piece:
            self._hear(piece)

    def reasons(self) -> None:
        """What is written next is reasoning, whose opening tag is in the prompt."""
        self._unveiling.begin()

    def ended(self, text: str) -> None:
        """The model has said all it has to say; its answer is told if nothing of it was."""
        self._claim()
        self._show(self._unveiling.rest())
        if not self._showed:
            self._show(visible_text(text))

    @property
    def heard(self) -> str:
        """Everything so far."""
        return "".join(self._heard)

    def _hear(self, piece: str) -> None:
        self._claim()
        if self.first_at is None:
            self.first_at = monotonic()
        self._heard.append(piece)
        if self.on_piece is not None:
            self.on_piece()

    def _claim(self) -> None:
        if self.on_claim is not None:
            self.on_claim()

    def _show(self, text: str) -> None:
        if text:
            self._showed = self._showed or not text.isspace()
            self._tell(text)
