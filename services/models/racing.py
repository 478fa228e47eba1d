"""Calls a model, and once more beside a call that is slow; whichever answers first counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from services.core.answers import Status
from services.core.lease import Purse
from services.models.asked import Asked, Attempt
from services.models.calling import LOST, End, Question, call_once, cut_short, put_back
from services.models.pricing import dearest
from services.runtime.callers import current_caller

STOP_S: Final = 0.1
"""Longest wait for a call that was stopped; its connection closes at once."""


@dataclass(frozen=True, slots=True)
class Run:
    """A call underway."""

    question: Question
    task: asyncio.Task[End]

    @property
    def attempt(self) -> Attempt:
        return self.question.attempt

    @property
    def ended(self) -> Asked | None:
        """How it ended; None while it runs, and if it was stopped."""
        ended = self.task.done() and not self.task.cancelled()
        return self.task.result()[0] if ended else None

    @property
    def answered(self) -> bool:
        return self.ended is not None and self.ended.status is Status.ANSWERED


async def call_hedged(question: Question, purse: Purse | None) -> End:
    """Call once, or twice where the model's guard allows it. Raises only CancelledError.

    A second call is paid like a retry, and is not made when anything of the
    first one's answer was heard. The loser is stopped at once; it counts as an
    earlier attempt of the question, and its cost as the question's.
    """
    guard = question.model.guard
    guard.hedging.called()
    late_s = guard.late_s
    if late_s is None:
        return await call_once(question)
    async with _running(question) as first:
        if not await _is_late(first, late_s) or not _hedged(question, purse):
            return await first.task
        async with _running(_beside(question)) as second:
            return await _raced(first, second, purse)


@asynccontextmanager
async def _running(question: Question) -> AsyncIterator[Run]:
    """Call in a task of its own, which is stopped when the block ends."""
    run = Run(question, asyncio.create_task(call_once(question)))
    try:
        yield run
    finally:
        if not run.task.done():
            run.task.cancel()
            await asyncio.wait({run.task}, timeout=STOP_S)


async def _is_late(run: Run, late_s: float) -> bool:
    """Whether the model has not replied for so long after it was sent the prompt."""
    while not run.task.done():
        left_s = late_s - run.attempt.sent_for_s
        if left_s <= 0.0:
            return True
        await asyncio.wait({run.task}, timeout=left_s)
    return False


def _hedged(question: Question, purse: Purse | None) -> bool:
    """Take what a second call needs: the guard's leave, and the money."""
    guard, call = question.model.guard, dearest(question.request, question.model.spec)
    if question.attempt.heard or not guard.may_hedge(current_caller(), question.until):
        return False
    if purse is not None and not purse.take(call):
        return False
    guard.hedging.hedged()
    return True


def _beside(question: Question) -> Question:
    """The same question for a second call, with the same reader."""
    listener = question.attempt.listener
    attempt = Attempt(listener=listener.beside() if listener else None, hedge=True)
    return replace(question, attempt=attempt)


async def _raced(first: Run, second: Run, purse: Purse | None) -> End:
    _share_reader(first, second)
    try:
        await _decided(first, second)
    except asyncio.CancelledError:
        _settle(*_ranked(first, second), purse)
        raise
    winner, loser = _ranked(first, second)
    _settle(winner, loser, purse)
    return winner.task.result()


def _share_reader(first: Run, second: Run) -> None:
    """Let the first of which anything is heard have the reader, and stop the other."""
    for run, other in ((first, second), (second, first)):
        if run.attempt.listener is not None:
            run.attempt.listener.on_claim = partial(_lose, other)


async def _decided(first: Run, second: Run) -> None:
    """Wait until one has answered and the other is stopped, or both have failed in their time."""
    await asyncio.wait({first.task, second.task}, return_when=asyncio.FIRST_COMPLETED)
    winner, _ = _ranked(first, second)
    await asyncio.wait({winner.task})
    _, loser = _ranked(first, second)
    _lose(loser)
    await asyncio.wait({loser.task}, timeout=STOP_S)


def _ranked(first: Run, second: Run) -> tuple[Run, Run]:
    """Winner and loser: who answered, else who still may, else whoever failed by itself."""
    runs = (first, second)
    winner = (
        next((run for run in runs if run.answered), None)
        or next((run for run in runs if not run.task.done() and not run.attempt.lost), None)
        or next((run for run in runs if run.ended), second)
    )
    return winner, second if winner is first else first


def _lose(run: Run) -> None:
    if not run.task.done():
        run.attempt.lost = True
        run.task.cancel()


def _settle(winner: Run, loser: Run, purse: Purse | None) -> None:
    """Account for the loser, and let the question's attempt be the winner's."""
    asked = _loss(loser)
    put_back(purse, loser.question, asked)
    if loser.attempt.hedge:
        winner.attempt.beaten(loser.attempt, asked)
        return
    if loser.attempt.lost:
        loser.question.model.guard.overtaken(loser.attempt.sent_for_s)
    loser.attempt.overtaken(winner.attempt, asked)


def _loss(run: Run) -> Asked:
    """What the loser came to."""
    if run.ended is not None:
        return replace(run.ended, reason=run.ended.reason or LOST)
    stopped = cut_short(
        run.question.model, run.question.request, run.attempt, sent=run.attempt.sent
    )
    reason = LOST if run.attempt.lost else "CANCELLED"
    return replace(stopped, status=Status.CANCELLED, reason=reason)
