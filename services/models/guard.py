"""Decides whether a model may be asked now, and learns from how the calls end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.config.tree import Model
from services.core.deadline import Deadline
from services.models.breaker import Breaker, State
from services.models.gate import AdaptiveLimit, Gate, RefusedError
from services.models.hedging import HedgeBudget
from services.models.latency import ABOVE, LatencySketch
from services.models.outcome import NOTHING, Outcome
from services.models.retrying import RetryBudget, pause_s
from services.models.room import Room
from services.models.throttle import Throttle

HURRY_S = 1.0
"""A call that was given less, to a model of which nothing is known, was in a hurry."""


@dataclass(slots=True)
class Permit:
    """One call that was let through."""

    began: float
    """On the guard's clock."""
    outcome: Outcome = NOTHING
    """To be set when the call has ended; else it was stopped, which says nothing."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """How a model fares in this process."""

    breaker: State
    since: datetime
    """When the breaker came into its state."""
    probe_in_s: float | None
    """Time until it lets a call through; None unless it is open."""
    failures: int
    """Failures among the latest calls."""
    opens: int
    limit: int
    in_flight: int
    waiting: int
    throttled_until: datetime | None
    p50_s: float | None
    p95_s: float | None
    retries: int
    hedges: int


class Guard:
    """One per model and process: breaker, throttle, limit, retry budget, latency."""

    def __init__(self, spec: Model, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = spec
        self._clock = clock
        self.breaker = Breaker(spec.breaker, clock)
        self.throttle = Throttle(spec.throttle, clock)
        self.limit = AdaptiveLimit(spec.concurrency, spec.max_concurrent, clock)
        self.gate = Gate(
            self.limit, spec.concurrency.max_waiting, Room(spec.concurrency, self._clock)
        )
        self.retries = RetryBudget(spec.retry, clock)
        self.latency = LatencySketch(clock)
        self.hedging = HedgeBudget(spec.hedge)

    def latency_s(self, quantile: float) -> float | None:
        """A quantile of the latency of late; None while too little is known."""
        return self.latency.quantile_s(quantile)

    @property
    def usual_s(self) -> float:
        """Time after which most answers are there, as far as that is known."""
        return self.latency_s(0.95) or min(self._spec.timeout_s, HURRY_S)

    def check(self) -> None:
        """Raise RefusedError if no call may start now, for whatever time there is."""
        if self.throttle.left_s > 0.0:
            raise self._throttled()
        if not self.breaker.allows():
            raise self._open()

    @asynccontextmanager
    async def admitted(
        self, caller: str, until: Deadline, *, waits: bool = True
    ) -> AsyncIterator[Permit]:
        """Let a call through in the block, after its turn has come.

        Raises
        ------
        RefusedError
            At once, if the model must not be asked now, or the turn would come too late for
            the deadline, or not at once for a call that does not wait.
        DeadlineSpentError, TimeoutError
            If the turn did not come before the deadline.
        """
        self.check()
        if not waits and self.gate.turns_before(caller):
            raise RefusedError("OVERLOADED", f"none of {self.limit.allowed} slots is free")
        self._require_time(caller, until)
        async with asyncio.timeout(until.remaining()):
            await self.gate.enter(caller)
        permit, probe = Permit(self._clock()), False
        try:
            self.check()
            probe = self.breaker.started()
            try:
                yield permit
            finally:
                self._learn(permit, probe=probe)
        finally:
            self.gate.leave(caller)

    @property
    def late_s(self) -> float | None:
        """Time without a reply after which a call is slow; None when none is made beside it."""
        if self._spec.hedge is None:
            return None
        usual_s = self.latency_s(self._spec.hedge.quantile)
        return None if usual_s is None else usual_s * ABOVE

    def may_hedge(self, caller: str, until: Deadline) -> bool:
        """Whether a call may be made beside a slow one, and would usually end in time."""
        if self.throttle.left_s > 0.0 or self.breaker.state is not State.CLOSED:
            return False
        if self.gate.turns_before(caller) or not self.hedging.allows():
            return False
        return (self.latency_s(0.5) or 0.0) < until.left_s

    def overtaken(self, waited_s: float) -> None:
        """A slow call was stopped because the one beside it had answered.

        It would have taken longer still, but any time above the quantile that hedging goes by
        puts it on the right side. Left out, slow calls would be forgotten, and ordinary ones
        taken for slow.
        """
        self.latency.add(waited_s)

    def pause_s(self, outcome: Outcome, *, attempts: int, until: Deadline) -> float | None:
        """Pause before the call may be sent again; None when it must not, or would be too late."""
        if not outcome.may_retry or not self.retries.allows():
            return None
        pause = pause_s(self._spec.retry, attempts=attempts, asked_s=outcome.retry_after_s)
        if pause is None or pause + (self.latency_s(0.5) or 0.0) >= until.left_s:
            return None
        return pause

    def overdue(self, waited_s: float) -> None:
        """A call was given up because its time was over, by someone who kept the time."""
        if waited_s >= self.usual_s:
            self._take_note(
                Outcome(failed=True, too_much=True), self._clock() - waited_s, probe=False
            )

    def state(self) -> ModelState:
        throttled_s = self.throttle.left_s
        return ModelState(
            breaker=self.breaker.state,
            since=self._moment(self.breaker.since - self._clock()),
            probe_in_s=self.breaker.retry_after_s if self.breaker.state is State.OPEN else None,
            failures=self.breaker.failures,
            opens=self.breaker.opens,
            limit=self.limit.allowed,
            in_flight=self.gate.in_flight,
            waiting=self.gate.waiting,
            throttled_until=self._moment(throttled_s) if throttled_s else None,
            p50_s=self.latency_s(0.5),
            p95_s=self.latency_s(0.95),
            retries=self.retries.retries,
            hedges=self.hedging.hedges,
        )

    def _require_time(self, caller: str, until: Deadline) -> None:
        """Refuse whoever would still wait when its time is over, as far as latency tells."""
        before, usual_s = self.gate.turns_before(caller), self.latency_s(0.5)
        if not before or usual_s is None:
            return
        wait_s = before * usual_s / self.limit.allowed
        if wait_s + usual_s > until.left_s:
            raise RefusedError(
                "OVERLOADED",
                f"{before} calls have their turn first, which takes about {wait_s:.1f} s",
                retry_after_s=wait_s,
            )

    def _learn(self, permit: Permit, *, probe: bool) -> None:
        self._take_note(permit.outcome, permit.began, probe=probe)

    def _take_note(self, outcome: Outcome, began: float, *, probe: bool) -> None:
        if outcome.latency_s is not None:
            self.latency.add(outcome.latency_s)
            self.limit.went_well(in_flight=self.gate.used)
            self.throttle.served()
        if outcome.too_much:
            self.limit.was_too_much(began=began)
        if outcome.rate_limited:
            self.throttle.refused(outcome.retry_after_s)
            self.gate.send_away(self._throttled)
        opens = self.breaker.opens
        self.breaker.ended(failed=outcome.failed, probe=probe)
        if self.breaker.opens > opens:
            self.gate.send_away(self._open)

    def _throttled(self) -> RefusedError:
        left_s = self.throttle.left_s
        text = f"its provider wants it left alone for another {left_s:.1f} s"
        return RefusedError("THROTTLED", text, retry_after_s=left_s)

    def _open(self) -> RefusedError:
        left_s = self.breaker.retry_after_s
        text = f"it failed too often of late; it is probed in {left_s:.1f} s"
        return RefusedError("BREAKER_OPEN", text, retry_after_s=left_s)

    def _moment(self, from_now_s: float) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=from_now_s)
