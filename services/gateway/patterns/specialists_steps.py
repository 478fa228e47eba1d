"""Does one step: a search, a model through the jury, or an ensemble by its own pattern."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from services.config.graphs import output_format
from services.config.steps import Retrieval, Step
from services.config.tree import Juror, JuryEnsemble, SpecialistsEnsemble
from services.core.deadline import Deadline
from services.core.errors import GremiumError, InternalError
from services.core.graph import behind
from services.core.lease import Lease
from services.gateway import stages
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.mesh import Mesh
from services.gateway.patterns.specialists_account import Account
from services.gateway.patterns.specialists_needs import Need
from services.gateway.patterns.specialists_prompts import Output, query, step_prompt
from services.gateway.patterns.specialists_shares import share
from services.gateway.patterns.specialists_times import search_s, step_s
from services.gateway.record import Record
from services.runtime.wire import output_format_to_wire

NOTHING_FOUND = "no passage fits"
WITHOUT_ANSWER: Final = {
    manifest_pb2.OUTCOME_NO_CONSENSUS: "its jurors disagree",
    manifest_pb2.OUTCOME_REJECTED: "its answer was rejected",
}


class Nested(Protocol):
    """Answers a case by its ensemble's pattern."""

    async def __call__(self, case: Case, *, mesh: Mesh, record: Record) -> Ending: ...


class NoAnswerError(Exception):
    """A required step's ensemble ended without an answer, and so does the request."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(WITHOUT_ANSWER.get(ending.outcome, "it gave no answer"))
        self.ending = ending


@dataclass
class Work:
    """A request's steps, and what they gave so far."""

    case: Case
    ensemble: SpecialistsEnsemble
    mesh: Mesh
    record: Record
    nested: Nested
    until: Deadline
    """When the last step must be done."""
    reads: Mapping[str, Sequence[str]]
    needs: dict[str, Need]
    """Of the steps that have not started, the merge and the judge included."""
    seconds_behind: Mapping[str, float]
    due: Mapping[str, Deadline]
    """When the critical path needs each step."""
    passage_ids: Mapping[str, Sequence[str]]
    outputs: dict[str, Output] = field(default_factory=dict)
    lost: dict[str, GremiumError | NoAnswerError] = field(default_factory=dict)
    """Required steps that gave nothing, and why."""

    def read_by(self, step_id: str) -> dict[str, Output]:
        return {read: self.outputs[read] for read in self.reads[step_id]}

    def passages_for(self, steps: Sequence[str]) -> list[types_pb2.Passage]:
        """The caller's own, and what was found behind these steps."""
        needed = behind(self.reads, steps)
        found = [p for name in self.reads if name in needed for p in self._found(name)]
        return [*self.case.prompt.grounding.passages, *found]

    def _found(self, name: str) -> Sequence[types_pb2.Passage]:
        return self.outputs[name].passages if name in self.outputs else ()


async def do(work: Work, step_id: str) -> Output:
    """Do a step with its share of the time and of the budget.

    Raises
    ------
    NoAnswerError
        If its ensemble found no answer.
    GremiumError
        If it failed.
    """
    step = work.ensemble.steps[step_id]
    need = work.needs.pop(step_id)
    until = _until(work, step_id, step, need)
    if step.retrieval is not None:
        return await _search(work, step_id, step, step.retrieval, until)
    prompt = _prompt(work, step_id, step)
    lease = share(work.record.lease, need, list(work.needs.values()))
    if step.ensemble is not None:
        return await _ensemble(work, step_id, step.ensemble, prompt, until=until, lease=lease)
    ending = await _lone(work, step_id, step.model or "", prompt, until=until, lease=lease)
    return _output(ending, step_id)


def _until(work: Work, step_id: str, step: Step, need: Need) -> Deadline:
    allowed_s = step_s if step.retrieval is None else search_s
    seconds = allowed_s(
        work.until.left_s,
        own_s=need.seconds,
        behind_s=work.seconds_behind[step_id],
        due_s=work.due[step_id].left_s,
    )
    return work.until.within(min(seconds, step.timeout_s or seconds))


async def merge(work: Work, model: str, prompt: types_pb2.Prompt, *, name: str) -> Output:
    """Let a model write the answer, with all that is left."""
    need = work.needs.pop(name)
    lease = share(work.record.lease, need, list(work.needs.values()))
    ending = await _lone(work, name, model, prompt, until=work.until, lease=lease)
    return _output(ending, name)


def _prompt(work: Work, step_id: str, step: Step) -> types_pb2.Prompt:
    return step_prompt(
        work.case.prompt,
        step.goal,
        work.read_by(step_id),
        passages=work.passages_for(work.reads[step_id]),
        output_format=_shape(work, step_id, step),
    )


def _output(ending: Ending, step_id: str) -> Output:
    if ending.answer is None or ending.outcome != manifest_pb2.OUTCOME_ANSWERED:
        raise NoAnswerError(ending)
    ending.answer.step = step_id
    return Output(ending.answer.text, answer=ending.answer)


def _shape(work: Work, step_id: str, step: Step) -> types_pb2.OutputFormat | None:
    """Its own; the step whose output is the answer has the shape that the caller asked for."""
    own = output_format(step.output_format)
    if own is not None:
        return output_format_to_wire(own)
    is_answer = work.ensemble.merge is None and step_id in work.ensemble.final
    return work.case.prompt.output_format if is_answer else None


async def _search(
    work: Work, step_id: str, step: Step, where: Retrieval, until: Deadline
) -> Output:
    """Search in this process, off its event loop: it asks no model, and the folder is here."""
    if work.case.shelves is None:
        raise InternalError("the gateway was started without the folders that steps search")
    wanted = query(work.case.prompt, step.goal, work.read_by(step_id))
    stage = manifest_pb2.STAGE_RETRIEVAL
    with work.record.stage(stage, deadline=until, tier=step_id) as part:
        found = await work.case.shelves.search(where, wanted, deadline=until)
    passages = tuple(
        types_pb2.Passage(id=one, text=piece.text, source=piece.source)
        for one, piece in zip(work.passage_ids[step_id], found, strict=False)
    )
    work.record.searched(part, passages)
    listed = "\n".join(f"[{passage.id}] {passage.source}" for passage in passages)
    return Output(listed, note="" if passages else NOTHING_FOUND, passages=passages)


async def _lone(
    work: Work, name: str, model: str, prompt: types_pb2.Prompt, *, until: Deadline, lease: Lease
) -> Ending:
    """Ask a jury of one juror, called as the step is."""
    timeout_s = work.ensemble.steps[name].timeout_s if name in work.ensemble.steps else None
    jury = JuryEnsemble(
        pattern="jury", jurors=(Juror(model=model, name=name, timeout_s=timeout_s),), grace_s=0.0
    )
    case = replace(_part(work.case, prompt, until), ensemble=jury)
    tier = router_pb2.Tier(name=jury.tiers[0].name, jurors=[name], quorum=1)
    with Account(work.record, case, lease, name) as record:
        return await stages.try_tier(case, tier, until=until, mesh=work.mesh, record=record)


async def _ensemble(
    work: Work, step_id: str, name: str, prompt: types_pb2.Prompt, *, until: Deadline, lease: Lease
) -> Output:
    """Ask an ensemble; what it found stands behind its answer."""
    case = replace(
        _part(work.case, prompt, until),
        name=name,
        ensemble=work.case.ensembles[name],
        passage_ids=tuple(work.passage_ids[step_id]),
    )
    with Account(work.record, case, lease, step_id) as record:
        ending = await work.nested(case, mesh=work.mesh, record=record)
    return replace(_output(ending, step_id), passages=tuple(record.manifest.passages))


def _part(case: Case, prompt: types_pb2.Prompt, until: Deadline) -> Case:
    return replace(case.asking(prompt), deadline=until, allowed_s=max(until.left_s, 1e-3))
