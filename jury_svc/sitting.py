"""The calls of one deliberation: sends them wave by wave, and waits until waiting cannot pay."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from jury_svc.case import Case, Juror, Settled
from jury_svc.polling import Polls
from jury_svc.quorum import Stop, stop_reason
from jury_svc.stopping import Rule
from services.core.answers import Answer
from services.core.canonical import Ballot
from services.core.deadline import Deadline
from services.runtime.aside import aside

Call = asyncio.Task[Settled]


class Sitting:
    """Who is out, who is in, and whose wave is to come."""

    def __init__(
        self,
        case: Case,
        jurors: Sequence[Juror],
        waves: Sequence[Sequence[int]],
        call: Callable[[int], Call],
    ) -> None:
        self._case = case
        self._names = [juror.name for juror in jurors]
        self._waves = deque(waves)
        self._call = call
        self._out: dict[Call, int] = {}
        self._usable = 0
        self._grace: Deadline | None = None
        self._patience: Deadline | None = None
        counting = case.counting
        self._polls = Polls(counting, case.prompt, quorum=case.quorum) if counting else None
        self.calls: dict[int, Call] = {}
        """Of everyone who was asked, by index of the juror."""

    async def until_stop(self, until: Deadline) -> Stop:
        """Send wave after wave as they are needed, and wait until one of the reasons to stop."""
        self._send(until)
        while True:
            over = self._over()
            stop = self._stop(until, over)
            if stop is not None:
                return stop
            if self._is_due(over):
                self._send(until)
                continue
            done, _ = await asyncio.wait(
                self._out, timeout=self._next(until, over), return_when=asyncio.FIRST_COMPLETED
            )
            await self._take(done, until)

    @property
    def ballots(self) -> int:
        """Ballots that are in."""
        return self._polls.ballots if self._polls else 0

    @property
    def finding(self) -> tuple[Rule, float | None] | None:
        """By what the ballots decide; None without any."""
        return self._polls.finding(self._still_open) if self._polls else None

    @property
    def _still_open(self) -> list[str]:
        """Who may still answer."""
        unsent = [i for wave in self._waves for i in wave]
        return [self._names[i] for i in (*self._out.values(), *unsent)]

    def _send(self, until: Deadline) -> None:
        """Ask the next wave; it gets an equal part of the time that is left."""
        if not self._waves:
            return
        self._patience = until.within(until.left_s / len(self._waves))
        for i in self._waves.popleft():
            self.calls[i] = self._call(i)
            self._out[self.calls[i]] = i

    def _over(self) -> set[Deadline]:
        """What has passed by now. Asked once a turn: what passes within one is for the next."""
        return {mark for mark in (self._grace, self._patience) if mark and mark.left_s == 0.0}

    def _stop(self, until: Deadline, over: Collection[Deadline]) -> Stop | None:
        still_open, grace_over = self._still_open, self._grace in over or not self._out
        polls = self._polls if still_open else None
        return stop_reason(
            usable=self._usable,
            unsettled=len(still_open),
            quorum=self._case.quorum,
            grace_over=grace_over,
            time_is_up=until.left_s == 0.0,
            decided=polls is not None and polls.is_decided(still_open),
            may_change=grace_over and polls is not None and polls.may_change(still_open),
        )

    def _is_due(self, over: Collection[Deadline]) -> bool:
        """Whether the next wave shall go out: those who are out cannot end it, or take too long."""
        if not self._waves:
            return False
        if not self._out or self._patience in over:
            return True
        if self._usable + len(self._out) < self._case.quorum:
            return True
        out = [self._names[i] for i in self._out.values()]
        return self._polls is not None and not self._polls.could_decide(out, self._still_open)

    def _next(self, until: Deadline, over: Collection[Deadline]) -> float:
        """Seconds to the next point in time at which something has to be decided."""
        marks = [mark for mark in (self._grace, self._patience) if mark and mark not in over]
        return min([until, *marks]).left_s

    async def _take(self, done: Collection[Call], until: Deadline) -> None:
        for call in done:
            del self._out[call]
            answer, vote = call.result().answer, call.result().vote
            if answer is None or vote is None:
                continue
            self._usable += 1
            if self._polls is not None:
                with suppress(TimeoutError):
                    await self._poll(self._polls, answer, vote, until)
        if self._grace is None and self._usable >= self._case.quorum:
            self._grace = Deadline.after(self._case.grace_s, clock=until.clock)

    async def _poll(self, polls: Polls, answer: Answer, vote: Ballot, until: Deadline) -> None:
        async with asyncio.timeout(until.left_s):
            polls.take(answer, await aside(answer.size, polls.read, answer, vote))
