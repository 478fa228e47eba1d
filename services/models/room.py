"""How many of a model's places each caller may have. No I/O."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from services.config.care import Concurrency


@dataclass(slots=True)
class Room:
    """Keeps places for those who had them lately, so that a flood leaves them where they were.

    Max-min fairness (D. Bertsekas, R. Gallager, "Data Networks", 2nd ed., 1992,
    section 6.5): who wants no more than an equal part gets it, and the others
    share the rest. What a caller wants is the most that it had at once, halved
    every `keep_s`. A few places are always left for newcomers.
    """

    policy: Concurrency
    clock: Callable[[], float]
    _held: Counter[str] = field(default_factory=Counter)
    _peaks: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By caller: the most places that it had, and when."""

    def has(self, caller: str, *, places: int) -> bool:
        """Whether a caller may have one more of so many places."""
        wanted = {name: self._wanted(name) for name in self._peaks if name != caller}
        shared = places - self.for_newcomers(places)
        part = shared / (len(wanted) + 1)
        kept = sum(min(part, each) for each in wanted.values())
        return self._held[caller] < max(part, shared - kept)

    def for_newcomers(self, places: int) -> int:
        return int(places * self.policy.newcomers)

    def take(self, caller: str) -> None:
        self._held[caller] += 1
        if self._held[caller] >= self._wanted(caller):
            self._peaks[caller] = (float(self._held[caller]), self.clock())

    def give_back(self, caller: str) -> None:
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        for name in [name for name in self._peaks if not self._wanted(name)]:
            del self._peaks[name]

    def _wanted(self, caller: str) -> int:
        peak, at = self._peaks.get(caller, (0.0, 0.0))
        faded = round(peak * math.pow(0.5, (self.clock() - at) / self.policy.keep_s))
        return max(self._held[caller], faded)
