"""Whether steps can be run, and in which order; what the gate makes of them. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from router_svc.gate import Gate, Prospect, Quorum
from router_svc.staff import Doer
from services.core.edges import edge_faults
from services.core.errors import BudgetSpentError, InvalidPlanError
from services.core.graph import Fault, faults, in_order, levels
from services.core.lease import Lease
from services.core.prompts import OutputFormat

DIRECT: Final = "direct"
"""The one step of a question that is answered whole."""
RESERVED: Final = frozenset({"prompt", "merge", DIRECT})


class Origin(StrEnum):
    """Where a plan comes from."""

    CONFIG = "config"
    RULES = "rules"
    PLANNER = "planner"
    DIRECT = "direct"


class OnFail(StrEnum):
    """What happens when a step fails."""

    RETRY = "retry"
    FALLBACK = "fallback"
    SKIP = "skip"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class StepProfile:
    """What the router needs to know of a step."""

    id: str
    goal: str
    doer: Doer
    reads: tuple[str, ...] = ()
    """Steps whose outputs it reads."""
    required: bool = True
    least_calls: int = 1
    """Calls to models without which it cannot be done."""
    output_format: OutputFormat | None = None
    role: str = ""
    """Configured name of the doer, in a plan that was made."""
    task: str = ""
    """What is asked of it, for how hard that is; empty: the goal."""
    on_fail: OnFail | None = None

    @property
    def specialist(self) -> str:
        """Model or ensemble that does it, or the folder that it searches."""
        return self.doer.name


@dataclass(frozen=True, slots=True)
class Graph:
    """The steps of a plan."""

    steps: tuple[StepProfile, ...]
    final: tuple[str, ...]
    """Steps whose outputs make the answer."""
    merge_calls: int = 0
    """Calls to models that making the answer takes."""
    merge: Doer | None = None
    """Model that makes it; None: a template, or nobody."""
    quorums: tuple[Quorum, ...] = ()
    gated: bool = False
    """Whether it is run only where that pays."""

    @property
    def reads(self) -> dict[str, tuple[str, ...]]:
        return {step.id: step.reads for step in self.steps}


@dataclass(frozen=True, slots=True)
class Planned:
    """Steps that can be run, each after all that it reads."""

    steps: tuple[StepProfile, ...]
    reason_text: str
    final: tuple[str, ...] = ()
    origin: Origin = Origin.CONFIG
    gate: Gate | None = None
    quorums: tuple[Quorum, ...] = ()
    merge_model: str = ""
    prospects: Mapping[str, Prospect] = field(default_factory=dict)


def plan(
    graph: Graph | None, lease: Lease, *, ensemble: str, origin: Origin = Origin.CONFIG
) -> Planned:
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
    if found := graph_faults(graph):
        text = "; ".join(fault.text for fault in found)
        raise InvalidPlanError(
            f"ensemble {ensemble!r}: {text}", step=found[0].step, ensemble=ensemble
        )
    _afford(graph, lease, ensemble)
    reads, by_id = graph.reads, {step.id: step for step in graph.steps}
    return Planned(
        tuple(by_id[one] for one in in_order(reads)),
        _text(levels(reads).values()),
        graph.final,
        origin,
        quorums=graph.quorums,
        merge_model=graph.merge.name if graph.merge else "",
    )


def graph_faults(graph: Graph) -> list[Fault]:
    """All that keeps a graph from being run: its shape, then what its goals read."""
    if twice := _twice([step.id for step in graph.steps]):
        return [Fault(twice, f"two steps are called `{twice}`")]
    if found := faults(graph.reads, final=graph.final):
        return found
    formats = {step.id: step.output_format for step in graph.steps}
    edges = [f for s in graph.steps for f in edge_faults(s.id, s.goal, s.reads, formats)]
    named = [Fault(s.id, f"no step may be called `{s.id}`") for s in graph.steps if _reserved(s)]
    return [*edges, *named, *_lone_answer(graph)]


def whole(direct: Doer, reason_text: str, *, gate: Gate | None, expected: Prospect) -> Planned:
    """The plan of a question that is answered in one call."""
    only = StepProfile(DIRECT, "{prompt}", direct)
    return Planned(
        (only,),
        reason_text,
        (DIRECT,),
        Origin.DIRECT,
        gate,
        prospects={DIRECT: expected},
    )


def weighed(planned: Planned, gate: Gate | None, prospects: Mapping[str, Prospect]) -> Planned:
    """A plan with what is expected of it; the gate's reason where there is one."""
    text = f"{gate.text}; {planned.reason_text}" if gate else planned.reason_text
    return replace(planned, gate=gate, prospects=prospects, reason_text=text)


def _lone_answer(graph: Graph) -> list[Fault]:
    """Without its one source there is no answer, so nobody may leave it out."""
    sources = [step for step in graph.steps if step.id in graph.final]
    if len(sources) != 1 or sources[0].required:
        return []
    only = sources[0].id
    return [Fault(only, f"the answer is made of `{only}` alone, which must be required")]


def _reserved(step: StepProfile) -> bool:
    return bool(step.role) and step.id in RESERVED


def _twice(ids: list[str]) -> str:
    return next((one for one in ids if ids.count(one) > 1), "")


def _afford(graph: Graph, lease: Lease, ensemble: str) -> None:
    in_quorum = {name for quorum in graph.quorums for name in quorum.steps}
    alone = [s.least_calls for s in graph.steps if s.required and s.id not in in_quorum]
    needed = graph.merge_calls + sum(alone) + sum(_quorum_calls(graph, q) for q in graph.quorums)
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


def _quorum_calls(graph: Graph, quorum: Quorum) -> int:
    """Calls of the cheapest steps that are enough."""
    calls = sorted(step.least_calls for step in graph.steps if step.id in quorum.steps)
    return sum(calls[: quorum.needed])


def _text(found: Collection[int]) -> str:
    """The shape of the graph as one sentence."""
    depths = list(found)
    widest = max(depths.count(depth) for depth in depths)
    return f"{len(depths)} steps, {max(depths)} in a row, up to {widest} at once"
