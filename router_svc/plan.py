"""Whether an ensemble's steps can be run, and in which order. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from services.core.errors import BudgetSpentError, InvalidPlanError
from services.core.graph import faults, in_order, levels
from services.core.lease import Lease
from services.core.prompts import OutputFormat


@dataclass(frozen=True, slots=True)
class StepProfile:
    """What the router needs to know of a step."""

    id: str
    goal: str
    specialist: str
    """Model or ensemble that does it, or the folder that it searches."""
    reads: tuple[str, ...]
    """Steps whose outputs it reads."""
    required: bool
    least_calls: int
    """Calls to models without which it cannot be done."""
    output_format: OutputFormat | None


@dataclass(frozen=True, slots=True)
class Graph:
    """The steps of an ensemble."""

    steps: tuple[StepProfile, ...]
    final: tuple[str, ...]
    """Steps whose outputs make the answer."""
    merge_calls: int
    """Calls to models that making the answer takes."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Steps that can be run, each after all that it reads."""

    steps: tuple[StepProfile, ...]
    reason_text: str


def plan(graph: Graph | None, lease: Lease, *, ensemble: str) -> Planned:
    """Order the steps. The same graph gives the same plan; an error names the ensemble.

    Raises
    ------
    InvalidPlanError
        If there are none or they cannot be run; it names the steps at fault.
    BudgetSpentError
        If the lease has fewer calls than the required steps need.
    """
    if graph is None:
        raise InvalidPlanError(f"ensemble {ensemble!r} has no steps to plan", ensemble=ensemble)
    reads = {step.id: step.reads for step in graph.steps}
    if found := faults(reads, final=graph.final):
        text = "; ".join(fault.text for fault in found)
        raise InvalidPlanError(
            f"ensemble {ensemble!r}: {text}", step=found[0].step, ensemble=ensemble
        )
    _afford(graph, lease, ensemble)
    by_id = {step.id: step for step in graph.steps}
    return Planned(tuple(by_id[one] for one in in_order(reads)), _text(levels(reads).values()))


def _afford(graph: Graph, lease: Lease, ensemble: str) -> None:
    needed = graph.merge_calls + sum(s.least_calls for s in graph.steps if s.required)
    if lease.model_calls is not None and lease.model_calls < needed:
        raise BudgetSpentError(
            f"the required steps of ensemble {ensemble!r} need {needed} model calls;"
            f" the lease has {lease.model_calls}",
            limit="model_calls",
            ensemble=ensemble,
        )
    if needed and (limit := lease.exhausted(free=True)):
        text = f"nothing is left of the budget's {limit} for ensemble {ensemble!r}"
        raise BudgetSpentError(text, limit=limit, ensemble=ensemble)


def _text(found: Collection[int]) -> str:
    """The shape of the graph as one sentence."""
    depths = list(found)
    widest = max(depths.count(depth) for depth in depths)
    return f"{len(depths)} steps, {max(depths)} in a row, up to {widest} at once"
