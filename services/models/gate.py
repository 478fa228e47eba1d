"""Lets as many calls through to a model as it can bear; the others wait their turn, fairly."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.config.care import Concurrency
from services.models.room import Room


class RefusedError(Exception):
    """A call was not let through, and nothing was sent."""

    def __init__(self, reason: str, text: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(text)
        self.reason = reason
        """UPPER_SNAKE: BREAKER_OPEN, THROTTLED or OVERLOADED."""
        self.retry_after_s = retry_after_s
        """Time after which a call may be let through; 0 when it is not known."""


@dataclass(slots=True)
class AdaptiveLimit:
    """How many calls may be in flight: additive increase, multiplicative decrease.

    Chiu & Jain, "Analysis of the Increase and Decrease Algorithms for
    Congestion Avoidance" (1989), as Netflix's concurrency-limits (AIMDLimit)
    applies it to calls. Each full set of calls that goes well adds one. It
    falls once per round trip, however many calls of that trip went badly.
    """

    policy: Concurrency
    most: int
    clock: Callable[[], float]
    _value: float = field(init=False)
    _lowered_at: float = -1.0

    def __post_init__(self) -> None:
        self._value = float(self.most)

    @property
    def allowed(self) -> int:
        return int(self._value)

    def went_well(self, *, in_flight: int) -> None:
        """A call was answered while that many were in flight, itself included."""
        if in_flight >= self.allowed:
            self._value = min(float(self.most), self._value + 1.0 / self._value)

    def was_too_much(self, *, began: float) -> None:
        """A call that began then showed that the model has too much to do."""
        if began > self._lowered_at:
            least = min(self.policy.min, self.most)
            self._value = max(float(least), self._value * self.policy.decrease)
            self._lowered_at = self.clock()


@dataclass(slots=True)
class Gate:
    """Turns by caller: each caller's calls in order, the callers one after the other.

    None takes the places that are kept for another.

    Round robin over callers (J. Nagle, RFC 970, 1985). When too many wait, the
    caller with the longest queue loses its latest (P. McKenney, "Stochastic
    Fairness Queueing", 1990), so that a noisy one cannot keep the others out.
    One event loop, no locks.
    """

    limit: AdaptiveLimit
    max_waiting: int
    room: Room
    in_flight: int = 0
    waiting: int = 0
    _queues: dict[str, deque[asyncio.Future[None]]] = field(default_factory=dict)
    """Turns by caller; the first caller has the next one."""

    def turns_before(self, caller: str) -> int:
        """Calls that have their turn before a new one of this caller; 0 when it need not wait."""
        if caller not in self._queues and self._may_enter(caller):
            return 0
        own = len(self._queues.get(caller, ()))
        callers = len(self._queues.keys() | {caller})
        return min(self.waiting, own * callers + callers - 1) + 1

    async def enter(self, caller: str) -> None:
        """Wait for a turn; whoever entered must leave.

        Raises
        ------
        RefusedError
            If too many wait already, or those who wait are sent away.
        """
        if not self.turns_before(caller):
            self._let_in(caller)
            return
        turn = self._queued(caller)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(caller)  # it was let through in the moment that it gave up
            else:
                self._forget(caller, turn)
            raise

    def leave(self, caller: str) -> None:
        """Give the place to whoever is next."""
        self.in_flight -= 1
        self.room.give_back(caller)
        while (name := next(filter(self._may_enter, self._queues), None)) is not None:
            queue = self._queues.pop(name)
            turn = queue.popleft()
            if queue:
                self._queues[name] = queue
            self.waiting -= 1
            self._let_in(name)
            turn.set_result(None)

    @property
    def used(self) -> int:
        """Calls in flight, and those that none may make so that newcomers have room."""
        return self.in_flight + self.room.for_newcomers(self.limit.allowed)

    def _may_enter(self, caller: str) -> bool:
        allowed = self.limit.allowed
        return self.in_flight < allowed and self.room.has(caller, places=allowed)

    def _let_in(self, caller: str) -> None:
        self.in_flight += 1
        self.room.take(caller)

    def send_away(self, refused: Callable[[], RefusedError]) -> None:
        """Refuse all who wait."""
        for queue in self._queues.values():
            for turn in queue:
                turn.set_exception(refused())
        self._queues.clear()
        self.waiting = 0

    def _queued(self, caller: str) -> asyncio.Future[None]:
        if self.waiting >= self.max_waiting:
            self._make_room(caller)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(caller, deque()).append(turn)
        self.waiting += 1
        return turn

    def _make_room(self, caller: str) -> None:
        own = len(self._queues.get(caller, ()))
        greedy = max(self._queues, key=lambda name: len(self._queues[name]), default=caller)
        if len(self._queues.get(greedy, ())) <= own + 1:
            raise self._full()
        latest = self._queues[greedy].pop()
        self.waiting -= 1
        latest.set_exception(self._full())

    def _full(self) -> RefusedError:
        text = f"{self.waiting} calls wait already for one of {self.limit.allowed} turns"
        return RefusedError("OVERLOADED", text)

    def _forget(self, caller: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(caller)
        if queue and turn in queue:
            queue.remove(turn)
            self.waiting -= 1
            if not queue:
                del self._queues[caller]
