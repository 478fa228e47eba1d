"""Does one step: a search, a model through the jury, or an ensemble by its own pattern."""

import asyncio
import hashlib
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
from services.gateway.patterns.specialists_log import StepLog
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

    def __init__(self, ending: Ending, why: str = "") -> None:
        super().__init__(why or WITHOUT_ANSWER.get(ending.outcome, "it gave no answer"))
        self.ending = ending


@dataclass(frozen=True, slots=True)
class Asking:
    """What is about to be asked, and of whom: a model, else an ensemble, else a folder."""

    step_id: str
    step: Step
    need: Need
    prompt: types_pb2.Prompt | None
    """None: a search."""
    model: str | None = None
    ensemble: str | None = None

    @property
    def key(self) -> str:
        """The same for whoever asks the same of the same, however it is spaced."""
        prompt = types_pb2.Prompt()
        if self.prompt is not None:
            prompt.CopyFrom(self.prompt)
        for part in (part for turn in prompt.messages for part in turn.parts if part.text):
            part.text = " ".join(part.text.split())
        asked = f"{self.model} {self.ensemble} ".encode()
        return hashlib.sha256(asked + prompt.SerializeToString(deterministic=True)).hexdigest()


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
    log: StepLog
    direct: bool = False
    """Whether the question is answered whole, as it came."""
    adequacy: Mapping[str, float] = field(default_factory=dict)
    """What the router expects of steps, in [0, 1]."""
    memo: dict[str, tuple[str, asyncio.Future[Output]]] = field(default_factory=dict)
    """What was asked so far by which step, and what comes of it."""
    judge_lost: bool = False
    """Whether outputs go unchecked, because the judge did not answer."""
    stopped: set[str] = field(default_factory=set)
    """Steps that nobody waits for any more: enough of their quorum gave something."""
    outputs: dict[str, Output] = field(default_factory=dict)
    lost: dict[str, GremiumError | NoAnswerError] = field(default_factory=dict)
    """Required steps that gave nothing, and why."""

    def read_by(self, step_id: str) -> dict[str, Output]:
        return {read: self.outputs[read] for read in self.reads[step_id]}

    def passages_for(self, steps: Sequence[str]) -> list[types_pb2.Passage]:
        """The caller's own, and what was found behind these steps, each once."""
        needed = behind(self.reads, steps)
        found = [p for name in self.reads if name in needed for p in self._found(name)]
        own = self.case.prompt.grounding.passages
        return [*own, *{passage.id: passage for passage in found}.values()]

    def _found(self, name: str) -> Sequence[types_pb2.Passage]:
        return self.outputs[name].passages if name in self.outputs else ()


def asking(work: Work, step_id: str) -> Asking:
    """What a step asks at first."""
    step = work.ensemble.steps[step_id]
    prompt = None if step.retrieval is not None else _prompt(work, step_id, step)
    return Asking(step_id, step, work.needs.pop(step_id), prompt, step.model, step.ensemble)


def again(first: Asking, *, model: str | None = None, note: str = "") -> Asking | None:
    """What a step asks after it failed: another model, or the same with a note below the goal."""
    if first.prompt is None:
        return None
    prompt = types_pb2.Prompt()
    prompt.CopyFrom(first.prompt)
    prompt.messages[-1].parts[0].text += note
    other = (model, None) if model else (first.model, first.ensemble)
    return replace(first, prompt=prompt, model=other[0], ensemble=other[1])


async def do(work: Work, asked: Asking) -> Output:
    """Do a step with its share of the time and of the budget, or share what another one gives.

    Raises
    ------
    NoAnswerError
        If its ensemble found no answer.
    GremiumError
        If it failed.
    """
    until = _until(work, asked)
    if asked.step.retrieval is not None:
        return await _search(work, asked.step_id, asked.step, asked.step.retrieval, until)
    key = asked.key
    if key in work.memo and (shared := await _shared(work, asked.step_id, key, until)):
        return shared
    given: asyncio.Future[Output] = asyncio.get_running_loop().create_future()
    work.memo[key] = asked.step_id, given
    try:
        output = await _asked(work, asked, until)
    except BaseException:
        given.cancel()
        raise
    given.set_result(output)
    return output


async def _shared(work: Work, step_id: str, key: str, until: Deadline) -> Output | None:
    """What another step gives that asked the same; None if that is nothing."""
    owner, given = work.memo[key]
    await asyncio.wait([given], timeout=until.left_s)
    if not given.done() or given.cancelled():
        return None
    work.log.shares(step_id, owner)
    return given.result()


async def _asked(work: Work, asked: Asking, until: Deadline) -> Output:
    prompt = asked.prompt or types_pb2.Prompt()
    lease = share(work.record.lease, asked.need, list(work.needs.values()))
    if asked.ensemble is not None:
        return await _ensemble(
            work, asked.step_id, asked.ensemble, prompt, until=until, lease=lease
        )
    model = asked.model or ""
    ending = await _lone(work, asked.step_id, model, prompt, until=until, lease=lease)
    return _output(ending, asked.step_id, work.adequacy)


def _until(work: Work, asked: Asking) -> Deadline:
    allowed_s = step_s if asked.step.retrieval is None else search_s
    seconds = allowed_s(
        work.until.left_s,
        own_s=asked.need.seconds,
        behind_s=work.seconds_behind[asked.step_id],
        due_s=work.due[asked.step_id].left_s,
    )
    return work.until.within(min(seconds, asked.step.timeout_s or seconds))


async def merge(work: Work, model: str, prompt: types_pb2.Prompt, *, name: str) -> Output:
    """Let a model write the answer, with all that is left."""
    need = work.needs.pop(name)
    lease = share(work.record.lease, need, list(work.needs.values()))
    ending = await _lone(work, name, model, prompt, until=work.until, lease=lease)
    return _output(ending, name, work.adequacy)


def _prompt(work: Work, step_id: str, step: Step) -> types_pb2.Prompt:
    if work.direct:
        return work.case.prompt
    return step_prompt(
        work.case.prompt,
        step.goal,
        work.read_by(step_id),
        passages=work.passages_for(work.reads[step_id]),
        output_format=_shape(work, step_id, step),
    )


def _output(ending: Ending, step_id: str, adequacy: Mapping[str, float]) -> Output:
    """What a step gave; its confidence is what was measured, else what was predicted."""
    if ending.answer is None or ending.outcome != manifest_pb2.OUTCOME_ANSWERED:
        raise NoAnswerError(ending)
    ending.answer.step = step_id
    known = ending.confidence if ending.confidence is not None else adequacy.get(step_id)
    return Output(ending.answer.text, answer=ending.answer, confidence=known)


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
    return replace(
        _output(ending, step_id, work.adequacy), passages=tuple(record.manifest.passages)
    )


def _part(case: Case, prompt: types_pb2.Prompt, until: Deadline) -> Case:
    return replace(case.asking(prompt), deadline=until, allowed_s=max(until.left_s, 1e-3))
