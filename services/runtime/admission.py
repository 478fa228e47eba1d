"""Refuses calls beyond what a service can work on at once, fairly among its callers."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from services.core.errors import OverloadedError

SPARE_SHARE: Final = 0.25
"""Slots beyond the others, as a share of them, for callers who hold less than their part."""


@dataclass
class Admission:
    """Slots of one service. Without a limit, overload costs nearly all goodput.

    Whoever comes gets a slot while there are some. When all are taken, a few
    spare ones are left for callers who hold less than an equal part, so that a
    noisy caller never keeps the others out: max-min fairness (D. Bertsekas, R.
    Gallager, "Data Networks", 2nd ed., 1992, section 6.5), reached by admission
    alone, as no call that is served is stopped. One event loop, no locks.
    """

    slots: int
    taken: int = 0
    _held: Counter[str] = field(default_factory=Counter)
    """Slots by caller; none who holds none."""

    @contextmanager
    def slot(self, caller: str = "") -> Iterator[None]:
        """Hold a slot for the block.

        Raises
        ------
        OverloadedError
            If none is free for this caller.
        """
        if not self._has_one_for(caller):
            raise OverloadedError(
                f"{self.taken} calls are being served; at most {self.slots} are allowed",
                limit=self.slots,
            )
        self.taken += 1
        self._held[caller] += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]

    def _has_one_for(self, caller: str) -> bool:
        if self.taken < self.slots:
            return True
        part = self.slots / len(self._held.keys() | {caller})
        has_spare = self.taken < self.slots + max(1, round(SPARE_SHARE * self.slots))
        return has_spare and self._held[caller] + 1 <= part
