"""The one clock every stage of a request shares."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.core.errors import DeadlineSpentError


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """A point in time after which nobody waits for the answer.

    Passed by value down the request path; each hop sends what is left, so
    clock skew between machines does not matter.
    """

    expires_at: float
    """Seconds on `clock`, not wall time."""
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)

    @classmethod
    def after(cls, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        return cls(clock() + seconds, clock)

    @property
    def left_s(self) -> float:
        """Seconds left, 0.0 once it has passed."""
        return max(0.0, self.expires_at - self.clock())

    def remaining(self) -> float:
        """Seconds left for a call that is about to start.

        Raises
        ------
        DeadlineSpentError
            If no time is left. Starting a call that cannot finish only
            wastes a juror.
        """
        left_s = self.left_s
        if left_s == 0.0:
            msg = "deadline passed before the next stage could start"
            raise DeadlineSpentError(msg)
        return left_s

    def reserve(self, seconds: float) -> "Deadline":
        """An earlier deadline that leaves `seconds` for the stages after this one."""
        return Deadline(self.expires_at - seconds, self.clock)

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and `seconds` from now."""
        return min(self, Deadline(self.clock() + seconds, self.clock))
