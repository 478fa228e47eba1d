"""Whether the strong tier gets the share of prompts that it was promised. No clock, no chance."""

from collections import deque
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

WINDOW: Final = 2_000
"""Latest decisions that count."""
LEAST: Final = 200
"""Decisions below which a share says nothing."""
ALLOWED: Final = 0.02
"""How far a share may be off."""
SIGMAS: Final = 4.0
"""Beyond that: standard errors of a share that chance alone explains."""


@dataclass(slots=True)
class ShareWatch:
    """Counts the decisions of one ensemble."""

    share: float
    """The one asked for, in [0, 1]."""
    _strong: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _n_strong: int = 0
    _is_off: bool = False

    def note(self, *, strong: bool) -> str:
        """Count a decision; what to warn of if the share has just gone astray, else empty."""
        if len(self._strong) == WINDOW:
            self._n_strong -= self._strong[0]
        self._strong.append(strong)
        self._n_strong += strong
        was_off, self._is_off = self._is_off, self._still_off or self.is_off
        if was_off or not self._is_off:
            return ""
        return (
            f"{self.realised:.1%} of the latest {len(self._strong)} prompts went to the strong"
            f" tier; {self.share:.1%} are due: prompts are no longer like those that were learned"
        )

    @property
    def realised(self) -> float:
        """Share of the latest prompts that went to the strong tier; 0 without any."""
        return self._n_strong / max(1, len(self._strong))

    @property
    def _still_off(self) -> bool:
        """Once off, it is so until the share is kept again."""
        return self._is_off and abs(self.realised - self.share) > ALLOWED

    @property
    def is_off(self) -> bool:
        """Whether it is further off than `ALLOWED`, and than chance explains."""
        n = len(self._strong)
        if n < LEAST:
            return False
        chance = SIGMAS * sqrt(self.share * (1.0 - self.share) / n)
        return abs(self.realised - self.share) > ALLOWED + chance
