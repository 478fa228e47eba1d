"""Leaves a model alone that fails, and probes whether it is back. No I/O."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from services.config.care import Breaker as Policy


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Breaker:
    """The circuit breaker of M. Nygard, *Release It!* (2nd ed. 2018, ch. 5).

    Closed, it looks at the latest calls and opens when too large a share of
    them failed. Open, it refuses all calls for a while. Half open, it lets a
    few through: their success closes it, a failure opens it for twice the time.
    """

    policy: Policy
    clock: Callable[[], float]
    state: State = State.CLOSED
    since: float = field(init=False)
    """When it came into its state, on `clock`."""
    opens: int = 0
    """How often it opened."""
    probing: int = 0
    """Probes in flight."""
    _passed: int = 0
    """Probes that succeeded in a row."""
    _open_s: float = field(init=False)
    _latest: deque[tuple[float, bool]] = field(init=False)
    """When each of the latest calls ended, and whether it failed."""

    def __post_init__(self) -> None:
        self.since = self.clock()
        self._open_s = self.policy.open_s
        self._latest = deque(maxlen=self.policy.window)

    @property
    def failures(self) -> int:
        """Failures among the calls it looks at."""
        self._forget()
        return sum(failed for _, failed in self._latest)

    @property
    def retry_after_s(self) -> float:
        """Time until the next probe; 0 unless it is open."""
        if self.state is not State.OPEN:
            return 0.0
        return max(0.0, self.since + self._open_s - self.clock())

    def allows(self) -> bool:
        """Whether a call may start now."""
        if self.state is State.CLOSED:
            return True
        return self.retry_after_s == 0.0 and self.probing < self.policy.probes

    def started(self) -> bool:
        """Note that an allowed call starts; whether it is a probe."""
        if self.state is State.CLOSED:
            return False
        if self.state is State.OPEN:
            self._enter(State.HALF_OPEN)
        self.probing += 1
        return True

    def ended(self, *, failed: bool | None, probe: bool) -> None:
        """Note how a call ended; None: it says nothing of the model."""
        self.probing -= probe
        if failed is None:
            return
        if self.state is State.CLOSED and not probe:
            self._latest.append((self.clock(), failed))
            self._judge()
        elif self.state is State.HALF_OPEN and probe:
            self._probed(failed=failed)

    def _judge(self) -> None:
        failures, seen = self.failures, len(self._latest)
        enough = seen >= min(self.policy.min_calls, self.policy.window)
        if enough and failures >= self.policy.failure_share * seen:
            self._trip(self.policy.open_s)

    def _probed(self, *, failed: bool) -> None:
        if failed:
            self._trip(min(2.0 * self._open_s, self.policy.max_open_s))
            return
        self._passed += 1
        if self._passed >= self.policy.probes:
            self._enter(State.CLOSED)

    def _trip(self, open_s: float) -> None:
        self._open_s = open_s
        self.opens += 1
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.state, self.since, self._passed = state, self.clock(), 0
        if state is State.CLOSED:
            self._latest.clear()

    def _forget(self) -> None:
        oldest = self.clock() - self.policy.window_s
        while self._latest and self._latest[0][0] < oldest:
            self._latest.popleft()
