"""Runs the steps of a graph, each as soon as what it reads is there, the most urgent first."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from services.config.planning import Quorum
from services.core.errors import GremiumError, OverloadedError, PeerError, StageFailedError
from services.core.graph import critical_first
from services.gateway.patterns.specialists_account import NOT_DONE, not_done
from services.gateway.patterns.specialists_prompts import Output
from services.gateway.patterns.specialists_recovery import done
from services.gateway.patterns.specialists_steps import NoAnswerError, Work
from services.gateway.record import Record

STOPPED: Final = "QUORUM_MET"
Tasks = Mapping[str, asyncio.Task[None]]


async def run(work: Work) -> None:
    """Run every step as soon as those that it reads are done.

    A required step that fails takes with it those that read it, and at last the
    answer; all that does not read it goes on, and is kept.

    Raises
    ------
    GremiumError, NoAnswerError
        Why a step that the answer needs gave nothing.
    """
    tasks: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for name in _order(work):
                before = [tasks[read] for read in work.reads[name]]
                tasks[name] = group.create_task(_settle(work, name, before))
            for quorum in work.ensemble.quorums:
                group.create_task(_enough(work, quorum, tasks))
    except BaseExceptionGroup as broken:
        raise broken.exceptions[0] from None
    for name in work.ensemble.final:
        if name in work.lost:
            raise telling_step(work.lost[name])


def named(
    error: GremiumError | NoAnswerError, step: str, record: Record
) -> GremiumError | NoAnswerError:
    """The error with the step that it ended; no free retry once models were asked."""
    if isinstance(error, NoAnswerError):
        return error
    if isinstance(error, PeerError | OverloadedError) and record.models_asked:
        metadata = {**error.metadata, "cause": error.reason}
        error = StageFailedError(f"a service took no call after models had been asked: {error}")
        error.metadata.update(metadata)
    error.metadata["step"] = step
    return error


def telling_step(error: GremiumError | NoAnswerError) -> GremiumError | NoAnswerError:
    """The error that ends the request, with the step in its message too."""
    if isinstance(error, GremiumError):
        error.args = (f"step `{error.metadata['step']}`: {error}",)
    return error


def _order(work: Work) -> list[str]:
    """Of steps that can start at once, the one with the longest path first."""
    urgency = {name: work.needs[name].seconds + work.seconds_behind[name] for name in work.reads}
    return critical_first(work.reads, urgency)


async def _settle(work: Work, name: str, before: Sequence[asyncio.Task[None]]) -> None:
    """Do a step; what is no longer needed is stopped, and does not stop the others."""
    try:
        await _done(work, name, before)
    except asyncio.CancelledError:
        if name not in work.stopped:
            raise
        work.needs.pop(name, None)
        text = "it was not waited for: enough of its quorum gave something"
        work.log.left_out(name, reason=STOPPED, reason_text=text)
        work.outputs[name] = Output(note=text)


async def _done(work: Work, name: str, before: Sequence[asyncio.Task[None]]) -> None:
    """Wait for what a step reads, do it, and keep what it gave or why it gave nothing."""
    if before:
        await asyncio.wait(before)
    if lost := next((read for read in work.reads[name] if read in work.lost), None):
        work.needs.pop(name)
        text = f"it reads `{lost}`, which gave nothing"
        not_done(work.record, name, work.ensemble.steps[name], reason_text=text)
        work.log.left_out(name, reason=NOT_DONE, reason_text=text)
        _without(work, name, work.lost[lost])
        return
    work.log.began(name)
    try:
        output = await done(work, name)
    except (GremiumError, NoAnswerError) as err:
        work.log.failed(name, err)
        _without(work, name, named(err, name, work.record))
    else:
        work.log.gave(name, output.confidence)
        work.outputs[name] = output


def _without(work: Work, name: str, why: GremiumError | NoAnswerError) -> None:
    """Go on without a step: its readers are told so, or cannot be done either."""
    if work.ensemble.steps[name].required and not _spared(work, name):
        work.lost[name] = why
    else:
        work.outputs[name] = Output(note=str(why))
        work.record.degraded = True


def _spared(work: Work, name: str) -> bool:
    """Whether enough others of its quorum can still give something."""
    quorum = next((each for each in work.ensemble.quorums if name in each.steps), None)
    if quorum is None:
        return False
    gone = [one for one in quorum.steps if one != name and not _may_give(work, one)]
    return len(quorum.steps) - len(gone) - 1 >= quorum.needed


def _may_give(work: Work, name: str) -> bool:
    if name in work.lost:
        return False
    return name not in work.outputs or not work.outputs[name].note


async def _enough(work: Work, quorum: Quorum, tasks: Tasks) -> None:
    """Stop the steps of a quorum that are late when enough of the others gave something."""
    waiting = {tasks[name] for name in quorum.steps}
    while waiting and _given(work, quorum) < quorum.needed:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if waiting:
        _, waiting = await asyncio.wait(waiting, timeout=quorum.grace_s)
    late = [name for name in quorum.steps if tasks[name] in waiting]
    work.stopped.update(late)
    for name in late:
        tasks[name].cancel()


def _given(work: Work, quorum: Quorum) -> int:
    return sum(name in work.outputs and not work.outputs[name].note for name in quorum.steps)
