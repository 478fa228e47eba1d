"""What a request may cost at most, before anybody was asked. No I/O."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from services.config.planning import DIRECT, Direct, Specialist
from services.config.steps import MERGE, Merge, Step
from services.config.tree import Ensemble, Juror, Model, SpecialistsEnsemble
from services.core.graph import MOST_STEPS, in_order
from services.core.lease import Call
from services.core.tokens import text_tokens
from services.gateway.case import Case
from services.gateway.losses import RUBRIC_TOKENS
from services.gateway.recusal import judges_of

QUOTE_TOKENS = 128
"""Marks around what other steps wrote, and the note that it is data."""
ORDER_TOKENS = 1024
"""Most that a synthesiser is told beside the prompt and the answers."""
AGAIN_TOKENS = 128
"""What a step is told that is asked once more."""
PLANNER_TOKENS = 2048
"""Most that a planner is told beside the question and what specialists are good at."""
PLANNER_CALLS = 2
"""It is asked once, and once more when its plan cannot be run."""
PASSAGE_TOKENS = 1024
"""A passage has about 1,000 characters, in some scripts a token each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What models would read and write."""

    models: Mapping[str, Model]
    ensembles: Mapping[str, Ensemble]
    prompt_tokens: int
    max_output_tokens: int
    """Most that the request lets an answer have; 0: the models' own limits count."""

    def writes(self, model: str) -> int:
        """Most tokens of an answer of that model."""
        return self.max_output_tokens or self.models[model].max_output_tokens

    def call(self, model: str, *, added_tokens: int, output_tokens: int) -> Call:
        """A call to a model that reads the prompt and something more."""
        price = self.models[model].price
        return Call(
            self.prompt_tokens + added_tokens,
            output_tokens,
            price.input_usd_per_mtok,
            price.output_usd_per_mtok,
        )


def reading(case: Case) -> Reading:
    return Reading(
        case.models,
        case.ensembles,
        case.prompt_tokens,
        case.prompt.params.max_output_tokens,
    )


def possible_usd(case: Case) -> float:
    """Upper estimate of what a request may cost without retries: as if every tier were asked.

    Every juror, synthesiser and judge model of each tier, and every comparison at
    its dearest; of steps likewise.
    """
    return sum(call.cost_usd for call in _possible(case.ensemble, reading(case)))


def has_free_juror(case: Case) -> bool:
    """Whether some juror costs nothing."""
    jurors = (juror for tier in case.ensemble.tiers for juror in tier.jurors)
    return any(case.models[juror.model].price.free for juror in jurors)


def juror_calls(jurors: list[Juror], read: Reading) -> list[Call]:
    """One call to each juror."""
    return [
        read.call(
            juror.model,
            added_tokens=text_tokens(juror.instruction),
            output_tokens=read.writes(juror.model),
        )
        for juror in jurors
    ]


def verdict_calls(
    ensemble: Ensemble, read: Reading, *, tier: str, answer_tokens: int
) -> list[Call]:
    """One call to each judge model outside of the tier's jury: it may follow one that failed."""
    judges = judges_of(ensemble.judge, ensemble, tier) if ensemble.judge else ()
    return [
        read.call(
            name,
            added_tokens=RUBRIC_TOKENS + answer_tokens,
            output_tokens=read.models[name].max_output_tokens,
        )
        for name in judges
    ]


def synthesis_calls(ensemble: Ensemble, read: Reading, *, answers: int, tokens: int) -> list[Call]:
    """One call to each model that may write one answer out of so many, each of so many tokens."""
    writers = ensemble.synthesis
    if writers is None or answers < 2:
        return []
    return [
        read.call(
            name,
            added_tokens=ORDER_TOKENS + answers * tokens,
            output_tokens=writers.max_output_tokens or read.models[name].max_output_tokens,
        )
        for name in writers.models
    ]


def _possible(ensemble: Ensemble, read: Reading) -> Iterator[Call]:
    if isinstance(ensemble, SpecialistsEnsemble):
        cut = _planned if ensemble.specialists else _steps
        yield from max((list(cut(ensemble, read)), _whole(ensemble, read)), key=_usd)
        return
    for tier in ensemble.tiers:
        yield from juror_calls(list(tier.jurors), read)
        answer = max(read.writes(juror.model) for juror in tier.jurors)
        written = synthesis_calls(ensemble, read, answers=len(tier.jurors), tokens=answer)
        yield from written
        judged = max([answer, *(call.output_tokens for call in written)])
        yield from verdict_calls(ensemble, read, tier=tier.name, answer_tokens=judged)
        if ensemble.aggregate.method == "weighted":
            duels = len(tier.jurors) * (len(tier.jurors) - 1)
            every = verdict_calls(ensemble, read, tier=tier.name, answer_tokens=2 * answer)
            yield from sorted(every, key=lambda call: call.cost_usd)[-1:] * duels


def _usd(calls: Iterable[Call]) -> float:
    return sum(call.cost_usd for call in calls)


def _whole(graph: SpecialistsEnsemble, read: Reading) -> list[Call]:
    """Calls where the question is answered whole, if it can be."""
    if graph.direct is None:
        return []
    calls, answer = _step(graph.direct, read)
    return [*calls, *verdict_calls(graph, read, tier=DIRECT, answer_tokens=answer)]


def _planned(graph: SpecialistsEnsemble, read: Reading) -> Iterator[Call]:
    """Calls of the largest plan that can be made, each step done by the dearest specialist."""
    doers = [each for each in graph.specialists.values() if each.retrieval is None]
    most = max(_step(each, read)[1] for each in doers)
    passages = max((where.passages for where in graph.searches), default=0)
    material = MOST_STEPS * (most + QUOTE_TOKENS + PASSAGE_TOKENS * passages)
    full = _more(read, read.prompt_tokens + material)
    yield from planner_calls(graph, read)
    yield from max((_step(each, full)[0] for each in doers), key=_usd) * MOST_STEPS
    if (merge := graph.merge) and merge.model:
        most = max(most * MOST_STEPS, read.writes(merge.model))
        yield _merge(merge, merge.model, full)
    yield from verdict_calls(graph, _more(read, material), tier=MERGE, answer_tokens=most)


def planner_calls(graph: SpecialistsEnsemble, read: Reading) -> list[Call]:
    """A question to the planner, and its repair; limits on answers are none on plans."""
    if graph.planner is None:
        return []
    name = graph.planner.model
    most = read.models[name].max_output_tokens
    added = planner_tokens(graph) + most
    return [read.call(name, added_tokens=added, output_tokens=most)] * PLANNER_CALLS


def planner_tokens(graph: SpecialistsEnsemble) -> int:
    """Most that a planner is told beside the question."""
    told = (text_tokens(each.description) for each in graph.specialists.values())
    return PLANNER_TOKENS + sum(told)


def _steps(graph: SpecialistsEnsemble, read: Reading) -> Iterator[Call]:
    """Calls of all steps, of the merge and of the judge."""
    found = PASSAGE_TOKENS * sum(s.retrieval.passages for s in graph.steps.values() if s.retrieval)
    written: dict[str, int] = {}
    for name in in_order(graph.reads):
        step = graph.steps[name]
        quoted = sum(written[other] + QUOTE_TOKENS for other in graph.reads[name])
        more = _more(read, text_tokens(step.goal) + quoted + found)
        calls, written[name] = _step(step, more)
        yield from [*calls, *_again(step, calls, _more(more, AGAIN_TOKENS))]
    quoted = sum(written[name] + QUOTE_TOKENS for name in graph.final)
    answer = quoted
    if (merge := graph.merge) and merge.model:
        answer = read.writes(merge.model)
        yield _merge(merge, merge.model, _more(read, quoted + found))
    yield from verdict_calls(graph, _more(read, found), tier=MERGE, answer_tokens=answer)


def _again(step: Step, calls: list[Call], read: Reading) -> list[Call]:
    """What is asked once more where the step fails."""
    if step.on_fail == "fallback" and step.fallback:
        most = read.writes(step.fallback)
        return [read.call(step.fallback, added_tokens=0, output_tokens=most)]
    if step.on_fail == "retry":
        return [replace(call, input_tokens=call.input_tokens + AGAIN_TOKENS) for call in calls]
    return []


def _step(step: Step | Specialist | Direct, read: Reading) -> tuple[list[Call], int]:
    """A step's calls, and most tokens of its output."""
    if step.model is not None:
        most = read.writes(step.model)
        return [read.call(step.model, added_tokens=0, output_tokens=most)], most
    if step.ensemble is None:
        where = None if isinstance(step, Direct) else step.retrieval
        return [], where.passages * QUOTE_TOKENS if where else 0
    asked = read.ensembles[step.ensemble]
    jurors = [juror for tier in asked.tiers for juror in tier.jurors]
    return list(_possible(asked, read)), max((read.writes(j.model) for j in jurors), default=0)


def _merge(merge: Merge, model: str, read: Reading) -> Call:
    return read.call(model, added_tokens=text_tokens(merge.goal), output_tokens=read.writes(model))


def _more(read: Reading, tokens: int) -> Reading:
    return replace(read, prompt_tokens=read.prompt_tokens + tokens)
