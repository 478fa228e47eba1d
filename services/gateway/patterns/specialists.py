"""Pattern specialists: cut the task into steps, run them as a graph, merge what they give."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from gremium.v1 import aggregator_pb2, manifest_pb2, router_pb2, types_pb2
from services.config.steps import MERGE
from services.config.tree import SpecialistsEnsemble
from services.core.deadline import Deadline
from services.core.errors import (
    GremiumError,
    InternalError,
    OverloadedError,
    PeerError,
    StageFailedError,
)
from services.gateway import reserves, stages
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.failures import LOST
from services.gateway.fallbacks import default_plan
from services.gateway.mesh import Mesh
from services.gateway.patterns.specialists_account import not_done, put_in_order, told_plan
from services.gateway.patterns.specialists_needs import (
    Need,
    Roster,
    longest_s,
    most_passages,
    needs,
    seconds_behind,
)
from services.gateway.patterns.specialists_prompts import (
    Output,
    free_ids,
    merged_text,
    passage_ids,
    step_prompt,
)
from services.gateway.patterns.specialists_steps import Nested, NoAnswerError, Work, do, merge
from services.gateway.patterns.specialists_times import kept_s
from services.gateway.record import Record
from services.runtime.wire import lease_to_wire


async def specialists(
    case: Case, ensemble: SpecialistsEnsemble, *, mesh: Mesh, record: Record, nested: Nested
) -> Ending:
    """Plan, run the steps as soon as what they read is there, merge, verify.

    Raises
    ------
    InvalidPlanError
        If the steps cannot be run.
    GremiumError
        If a step that the answer needs failed; `metadata["step"]` names it.
    """
    reads = await _plan(case, ensemble, mesh=mesh, record=record)
    work = _work(case, ensemble, reads, mesh=mesh, record=record, nested=nested)
    try:
        await _run(work)
        merged = await _merged(work)
        return await _verified(work, merged)
    except NoAnswerError as err:
        return Ending(err.ending.outcome, reason_text=err.ending.reason_text)
    finally:
        ids = (one for found in work.passage_ids.values() for one in found)
        put_in_order(record.manifest, list(reads), ids)


async def _plan(
    case: Case, ensemble: SpecialistsEnsemble, *, mesh: Mesh, record: Record
) -> dict[str, Sequence[str]]:
    """Steps in order, with what they read. For want of a router, in the order worked out here."""
    until = case.deadline.within(reserves.router_s(case.deadline.left_s, allowed_s=case.allowed_s))
    request = router_pb2.PlanRequest(
        request_id=case.request_id,
        ensemble=case.name,
        prompt=case.prompt,
        lease=lease_to_wire(record.lease),
    )
    try:
        with record.stage(manifest_pb2.STAGE_ROUTER, deadline=until):
            planned = (await mesh.plan(request, deadline=until)).plan
    except LOST as err:
        if case.deadline.left_s == 0.0:
            raise
        record.degraded = True
        planned = default_plan(ensemble, err)
    if {step.id for step in planned.steps} != ensemble.steps.keys():
        raise InternalError(f"the router planned other steps than ensemble {case.name} has")
    record.planned(told_plan(planned, ensemble.steps))
    return {step.id: step.depends_on for step in planned.steps}


def _work(
    case: Case,
    ensemble: SpecialistsEnsemble,
    reads: Mapping[str, Sequence[str]],
    *,
    mesh: Mesh,
    record: Record,
    nested: Nested,
) -> Work:
    until = _until(case, ensemble)
    expected = needs(ensemble, Roster(case.models, case.ensembles))
    behind = seconds_behind(ensemble, expected)
    return Work(
        case=case,
        ensemble=ensemble,
        mesh=mesh,
        record=record,
        nested=nested,
        until=until,
        reads=reads,
        needs=expected,
        seconds_behind=behind,
        due=_due(until, expected, behind),
        passage_ids=_ids(case, ensemble, reads),
    )


def _until(case: Case, ensemble: SpecialistsEnsemble) -> Deadline:
    """When the last step must be done: what is left is for the judge and the reply."""
    window_s = reserves.window_s(case.deadline.left_s, allowed_s=case.allowed_s)
    judge_s = ensemble.judge.timeout_s if ensemble.judge else 0.0
    return case.deadline.within(window_s - reserves.judge_s(window_s, timeout_s=judge_s))


def _due(
    until: Deadline, expected: Mapping[str, Need], behind: Mapping[str, float]
) -> dict[str, Deadline]:
    """When the critical path needs each step."""
    left_s, longest = until.left_s, longest_s(expected, behind)
    return {
        name: until.reserve(kept_s(left_s, behind_s=seconds, longest_s=longest))
        for name, seconds in behind.items()
    }


def _ids(case: Case, ensemble: SpecialistsEnsemble, steps: Iterable[str]) -> dict[str, list[str]]:
    """Ids for what each step may find, no two alike in the whole request."""
    wanted = {name: most_passages(ensemble.steps[name], case.ensembles) for name in steps}
    if case.passage_ids is not None:
        return passage_ids(wanted, free=case.passage_ids)
    taken = [passage.id for passage in case.prompt.grounding.passages]
    return passage_ids(wanted, free=free_ids(taken))


async def _run(work: Work) -> None:
    """Run every step as soon as those that it reads are done.

    A required step that fails takes with it those that read it, and at last the
    answer; all that does not read it goes on, and is kept.

    Raises
    ------
    GremiumError, NoAnswerError
        Why a step that the answer needs gave nothing.
    """
    done: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for name in work.reads:
                before = [done[read] for read in work.reads[name]]
                done[name] = group.create_task(_settle(work, name, before))
    except BaseExceptionGroup as broken:
        raise broken.exceptions[0] from None
    for name in work.ensemble.final:
        if name in work.lost:
            raise _telling_step(work.lost[name])


async def _settle(work: Work, name: str, before: Sequence[asyncio.Task[None]]) -> None:
    """Wait for what a step reads, do it, and keep what it gave or why it gave nothing."""
    if before:
        await asyncio.wait(before)
    if lost := next((read for read in work.reads[name] if read in work.lost), None):
        work.needs.pop(name)
        text = f"it reads `{lost}`, which gave nothing"
        not_done(work.record, name, work.ensemble.steps[name], reason_text=text)
        _without(work, name, work.lost[lost])
        return
    try:
        work.outputs[name] = await do(work, name)
    except (GremiumError, NoAnswerError) as err:
        _without(work, name, _named(err, name, work.record))


def _without(work: Work, name: str, why: GremiumError | NoAnswerError) -> None:
    """Go on without a step: its readers are told so, or cannot be done either."""
    if work.ensemble.steps[name].required:
        work.lost[name] = why
    else:
        work.outputs[name] = Output(note=str(why))
        work.record.degraded = True


def _named(
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


def _telling_step(error: GremiumError | NoAnswerError) -> GremiumError | NoAnswerError:
    """The error that ends the request, with the step in its message too."""
    if isinstance(error, GremiumError):
        error.args = (f"step `{error.metadata['step']}`: {error}",)
    return error


async def _merged(work: Work) -> Output:
    """Make the answer out of the final outputs."""
    finals = {name: work.outputs[name] for name in work.ensemble.final}
    plan = work.ensemble.merge
    if all(output.note for output in finals.values()):
        notes = "; ".join(f"{name}: {output.note}" for name, output in finals.items())
        raise StageFailedError(f"no step gave anything to answer with: {notes}")
    if plan is None:
        (only,) = finals.values()
        return only
    if plan.model is None:
        return _templated(work, plan.template, finals)
    prompt = step_prompt(
        work.case.prompt,
        plan.goal,
        finals,
        passages=work.passages_for(work.ensemble.final),
        output_format=work.case.prompt.output_format,
    )
    try:
        return await merge(work, plan.model, prompt, name=MERGE)
    except GremiumError as err:
        raise _telling_step(_named(err, MERGE, work.record)) from err


def _templated(work: Work, template: str, finals: Mapping[str, Output]) -> Output:
    text = merged_text(work.case.prompt, template, finals)
    authors = dict.fromkeys(o.answer.family for o in finals.values() if o.answer)
    answer = types_pb2.Answer(juror=MERGE, text=text, step=MERGE, family="+".join(authors))
    work.record.manifest.answers.append(answer)
    return Output(text, answer=answer)


async def _verified(work: Work, merged: Output) -> Ending:
    """Let the judge audit the answer, with all that was found as its grounding."""
    case, judge = work.case, work.ensemble.judge
    answer = merged.answer or types_pb2.Answer(juror=MERGE, text=merged.text)
    if judge is None:
        return Ending(manifest_pb2.OUTCOME_ANSWERED, answer, unjudged=True)
    grounded = types_pb2.Prompt()
    grounded.CopyFrom(case.prompt)
    del grounded.grounding.passages[:]
    grounded.grounding.passages.extend(work.passages_for(work.ensemble.final))
    seconds = reserves.window_s(case.deadline.left_s, allowed_s=case.allowed_s)
    return await stages.verify(
        case.asking(grounded),
        judge,
        aggregator_pb2.AggregateResponse(
            representative=answer, tally=manifest_pb2.Tally(tier=MERGE)
        ),
        until=case.deadline.within(seconds),
        mesh=work.mesh,
        record=work.record,
    )
