"""What keeps the steps of specialists from being run, and where it stands in the configuration."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.config.document import Loc
from services.config.steps import MERGE, RESERVED, Shape, Step
from services.config.tree import Config, SpecialistsEnsemble
from services.core.canonical import check_format
from services.core.edges import edge_faults
from services.core.errors import InvalidRequestError
from services.core.graph import cycle, faults
from services.core.prompts import OutputFormat

Found = tuple[Loc, str]


def graph_faults(config: Config) -> list[Found]:
    """Places at which steps do not fit together."""
    graphs = specialists(config.ensembles)
    within = (fault for name, e in graphs.items() for fault in _ensemble(name, e))
    return [*within, *_rings(graphs)]


def specialists(ensembles: Mapping[str, Any]) -> dict[str, SpecialistsEnsemble]:
    """The ensembles of this pattern."""
    return {name: e for name, e in ensembles.items() if isinstance(e, SpecialistsEnsemble)}


def output_format(shape: Shape | None) -> OutputFormat | None:
    """A configured shape as answers are compared by it; None: none is configured."""
    if shape is None:
        return None
    may = shape.may_abstain
    if shape.labels:
        return OutputFormat("labels", labels=shape.labels, may_abstain=may)
    if shape.number:
        return OutputFormat("number", may_abstain=may)
    return OutputFormat("json", schema=shape.json_schema, may_abstain=may)


def shape_of(form: OutputFormat) -> Shape | None:
    """What `output_format` was made of; None: prose."""
    may = form.may_abstain
    match form.kind:
        case "labels":
            return Shape(labels=form.labels, may_abstain=may)
        case "number":
            return Shape(number=True, may_abstain=may)
        case "json":
            return Shape(json_schema=dict(form.schema or {}), may_abstain=may)
        case _:
            return None


def _ensemble(name: str, ensemble: SpecialistsEnsemble) -> Iterator[Found]:
    at: Loc = ("ensembles", name)
    for fault in faults(ensemble.reads, final=ensemble.final):
        yield ((*at, "steps", fault.step) if fault.step else at), fault.text
    yield from _lone_answer(at, ensemble)
    formats = {step_id: _format(step) for step_id, step in ensemble.steps.items()}
    for step_id, step in ensemble.steps.items():
        place: Loc = (*at, "steps", step_id)
        yield from _step(place, step_id, step)
        for fault in edge_faults(step_id, step.goal, step.depends_on, formats):
            yield (*place, "goal"), fault.text
    yield from _merge_fields(at, ensemble, formats)


def _lone_answer(at: Loc, ensemble: SpecialistsEnsemble) -> Iterator[Found]:
    """Without its one source there is no answer, so nobody may leave it out."""
    made_of = [one for one in ensemble.final if one in ensemble.steps]
    if len(made_of) == 1 and not ensemble.steps[made_of[0]].required:
        text = f"the answer is made of `{made_of[0]}` alone, which must be required"
        yield (*at, "steps", made_of[0], "required"), text


def _step(at: Loc, step_id: str, step: Step) -> Iterator[Found]:
    if step_id in RESERVED:
        yield at, f"a step may not be called `{step_id}`"
    try:
        check_format(_format(step) or OutputFormat(), (), within="")
    except InvalidRequestError as err:
        yield (*at, "output_format"), err.violations[0][1]


def _format(step: Step) -> OutputFormat | None:
    """The shape of a step's output; a schema that is none is told elsewhere."""
    return output_format(step.output_format)


def _merge_fields(
    at: Loc, ensemble: SpecialistsEnsemble, formats: Mapping[str, OutputFormat | None]
) -> Iterator[Found]:
    """Fields that the merge reads; steps that do not exist are told elsewhere."""
    if ensemble.merge is None:
        return
    key = "template" if ensemble.merge.template else "goal"
    known = [name for name in ensemble.final if name in ensemble.steps]
    for fault in edge_faults(MERGE, getattr(ensemble.merge, key), known, formats):
        if "is no field" in fault.text:
            yield (*at, "merge", key), fault.text


def _rings(graphs: Mapping[str, SpecialistsEnsemble]) -> Iterator[Found]:
    """Ensembles whose steps would ask each other for ever."""
    reads = {name: [one for one in e.nested if one in graphs] for name, e in graphs.items()}
    if ring := cycle(reads):
        at: Loc = ("ensembles", ring[0], "steps")
        yield at, f"the ensembles ask each other: {' -> '.join(ring)}"
