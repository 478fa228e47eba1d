"""How many calls may run beside slow ones. No I/O."""

from dataclasses import dataclass
from typing import Final

from services.config.care import Hedge

BURST: Final = 10.0
"""Most second calls that are saved up while none is needed."""
SLACK: Final = 1e-6
"""Sums of shares are not exact."""


@dataclass(slots=True)
class HedgeBudget:
    """Allows second calls as a share of the first ones: a token bucket that calls fill.

    J. Dean, L. A. Barroso, "The Tail at Scale" (CACM 56(2), 2013): a second
    request that is sent only when the first one is slower than 95 of 100 cuts
    the tail of the latency for a few percent more load. The bucket keeps it at
    that when all of them become slow.
    """

    policy: Hedge | None
    hedges: int = 0
    """Second calls that were made."""
    _tokens: float = 1.0

    def called(self) -> None:
        """Note a first call."""
        if self.policy is not None:
            self._tokens = min(BURST, self._tokens + self.policy.max_share)

    def allows(self) -> bool:
        """Whether a second call is within the budget."""
        return self.policy is not None and self._tokens + SLACK >= 1.0

    def hedged(self) -> None:
        """Note a second call."""
        self._tokens -= 1.0
        self.hedges += 1
