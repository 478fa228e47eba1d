"""Pattern specialists: cut the task into steps, run them as a graph, merge what they give."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gremium.v1 import aggregator_pb2, manifest_pb2, router_pb2, types_pb2
from services.config.steps import MERGE
from services.config.tree import SpecialistsEnsemble
from services.core.deadline import Deadline
from services.core.errors import GremiumError, StageFailedError
from services.gateway import reserves, stages
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.mesh import Mesh
from services.gateway.patterns.specialists_account import put_in_order
from services.gateway.patterns.specialists_log import StepLog
from services.gateway.patterns.specialists_needs import (
    Need,
    Roster,
    longest_s,
    most_passages,
    needs,
    seconds_behind,
)
from services.gateway.patterns.specialists_plan import planned, runnable, told
from services.gateway.patterns.specialists_prompts import (
    Output,
    confidence_note,
    free_ids,
    merged_text,
    passage_ids,
    step_prompt,
)
from services.gateway.patterns.specialists_run import named, run, telling_step
from services.gateway.patterns.specialists_steps import Nested, NoAnswerError, Work, merge
from services.gateway.patterns.specialists_times import kept_s
from services.gateway.record import Record


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
    plan = await planned(case, ensemble, mesh=mesh, record=record)
    ensemble = runnable(ensemble, plan)
    case = replace(case, ensemble=ensemble)
    record.manifest.plan.CopyFrom(told(plan, ensemble))
    record.planned(record.manifest.plan)
    work = _work(case, ensemble, plan, mesh=mesh, record=record, nested=nested)
    try:
        await run(work)
        merged = await _merged(work)
        return await _verified(work, merged)
    except NoAnswerError as err:
        return Ending(err.ending.outcome, reason_text=err.ending.reason_text)
    finally:
        ids = (one for found in work.passage_ids.values() for one in found)
        record.manifest.steps.extend(work.log.written(record.manifest.participations))
        put_in_order(record.manifest, list(work.reads), ids)


def _work(
    case: Case,
    ensemble: SpecialistsEnsemble,
    plan: router_pb2.Plan,
    *,
    mesh: Mesh,
    record: Record,
    nested: Nested,
) -> Work:
    until = _until(case, ensemble)
    expected = needs(ensemble, Roster(case.models, case.ensembles))
    behind = seconds_behind(ensemble, expected)
    reads = {step.id: tuple(step.depends_on) for step in plan.steps}
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
        log=StepLog(plan, critical=[name for name in reads if expected[name].critical]),
        direct=plan.origin == router_pb2.PLAN_ORIGIN_DIRECT,
        adequacy={s.id: s.adequacy.value for s in plan.steps if s.HasField("adequacy")},
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
    work.log.merging(plan.model or "", finals)
    if plan.model is None:
        merged = _templated(work, plan.template, finals)
    else:
        merged = await _written(work, plan.model, plan.goal, finals)
    work.log.gave(MERGE, merged.confidence)
    return merged


async def _written(work: Work, model: str, goal: str, finals: Mapping[str, Output]) -> Output:
    """Let a model write the answer, who is told how sure each output is."""
    prompt = step_prompt(
        work.case.prompt,
        goal,
        finals,
        passages=work.passages_for(work.ensemble.final),
        output_format=work.case.prompt.output_format,
        note=confidence_note(finals),
    )
    try:
        return await merge(work, model, prompt, name=MERGE)
    except (GremiumError, NoAnswerError) as err:
        work.log.failed(MERGE, err)
        raise telling_step(named(err, MERGE, work.record)) from err


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
