"""How many retries a model's traffic can bear, and how long to wait before one. No I/O."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.config.care import Retry

SLACK: Final = 0.05
"""What has faded to less counts no more."""


@dataclass(slots=True)
class RetryBudget:
    """Allows retries as a share of the calls, and a few more.

    As Finagle's RetryBudget (https://twitter.github.io/finagle/guide/Clients.html#retries)
    and gRPC's retry throttling (proposal A6), but with counts that fade away
    exponentially instead of a window of buckets.
    """

    policy: Retry
    clock: Callable[[], float]
    retries: int = 0
    """Retries that were made."""
    _calls: float = 0.0
    _spent: float = 0.0
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._at = self.clock()

    def called(self) -> None:
        """Note a call that is no retry."""
        self._fade()
        self._calls += 1.0

    def allows(self) -> bool:
        """Whether one more retry is within the budget."""
        self._fade()
        policy = self.policy
        floor = policy.budget_floor_per_s * policy.budget_window_s
        return self._spent + 1.0 <= policy.budget_share * self._calls + floor + SLACK

    def retried(self) -> None:
        """Note a retry."""
        self._fade()
        self._spent += 1.0
        self.retries += 1

    def _fade(self) -> None:
        now = self.clock()
        kept = math.exp((self._at - now) / self.policy.budget_window_s)
        self._calls, self._spent, self._at = self._calls * kept, self._spent * kept, now


def pause_s(policy: Retry, *, attempts: int, asked_s: float | None) -> float | None:
    """Pause before the next attempt; None when there shall be none.

    Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter):
    uniform below a bound that doubles with each attempt.

    Parameters
    ----------
    attempts : int
        Attempts made so far, >= 1.
    asked_s : float or None
        Pause that the provider asked for.
    """
    if attempts >= policy.max_attempts:
        return None
    if asked_s is not None and asked_s > policy.max_wait_s:
        return None
    most_s = min(policy.max_wait_s, policy.backoff_s * 2.0 ** (attempts - 1))
    return max(asked_s or 0.0, random.uniform(0.0, most_s))  # noqa: S311 - no secret
