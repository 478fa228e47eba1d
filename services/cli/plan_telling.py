"""A plan in words and as a tree. No I/O."""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.tree import Tree

from gremium.v1.router_pb2 import OnFail, Plan, PlanGate, PlanOrigin, PlanResponse, Step
from services.cli import telling
from services.cli.words import counted
from services.runtime.wire import duration_from_wire

ORIGINS: Final = {
    PlanOrigin.PLAN_ORIGIN_CONFIG: "the configured steps",
    PlanOrigin.PLAN_ORIGIN_RULES: "parts that rules found",
    PlanOrigin.PLAN_ORIGIN_PLANNER: "the planner's steps",
    PlanOrigin.PLAN_ORIGIN_DIRECT: "one call",
}
GOAL_CHARS: Final = 72


def story(found: PlanResponse) -> Iterator[str]:
    """What was decided and why, line by line."""
    plan = found.plan
    yield f"plan     {ORIGINS.get(plan.origin, 'unknown')}: {plan.reason_text}"
    if plan.HasField("gate"):
        yield f"gate     {_gate(plan.gate)}"
    for call in found.planner_calls:
        ended = f"{call.reason}: {call.reason_text}" if call.reason else "gave a plan"
        usage = f"{call.usage.input_tokens} + {call.usage.output_tokens} tokens"
        yield f"planner  {call.model} {ended} ({usage}, {telling.usd(call.cost_usd)})"
    for quorum in plan.quorums:
        yield f"quorum   {quorum.needed} of {', '.join(quorum.steps)}"


def plan_tree(plan: Plan) -> Tree:
    """The answer, and below each step those that it reads; one that several read stands once."""
    steps, shown = {step.id: step for step in plan.steps}, set[str]()
    tree = Tree(f"answer: {_merge(plan)}")
    for name in plan.final:
        _grow(tree, name, steps, shown)
    return tree


def _grow(tree: Tree, name: str, steps: Mapping[str, Step], shown: set[str]) -> None:
    if name in shown:
        tree.add(f"{name} (see above)")
        return
    shown.add(name)
    branch = tree.add(_step(steps[name]))
    for read in steps[name].depends_on:
        _grow(branch, read, steps, shown)


def _merge(plan: Plan) -> str:
    if plan.merge_model:
        return f"written by {plan.merge_model}"
    return "the output of" if len(plan.final) == 1 else "by template from"


def _step(step: Step) -> str:
    told = [step.specialist or "?"]
    if step.role and step.role != step.specialist:
        told[0] = f"{step.role} ({told[0]})"
    if step.HasField("adequacy"):
        told.append(f"adequate {step.adequacy.value:.2f}")
    if step.HasField("expected_latency"):
        told.append(f"{duration_from_wire(step.expected_latency):.1f} s")
    if step.expected_cost_usd:
        told.append(telling.usd(step.expected_cost_usd))
    if not step.required:
        told.append("optional")
    if step.on_fail:
        told.append(f"on failure {OnFail.Name(step.on_fail).removeprefix('ON_FAIL_').lower()}")
    return f"{step.id}: {', '.join(told)}: {_short(step.goal)}"


def _short(goal: str) -> str:
    line = " ".join(goal.split())
    return line if len(line) <= GOAL_CHARS else f"…{line[1 - GOAL_CHARS :]}"


def _gate(gate: PlanGate) -> str:
    return (
        f"one call {gate.p_single:.2f}, all steps {gate.p_plan:.2f}"
        f" (weakest {gate.weakest_step} {gate.p_weakest:.2f}), speed-up {gate.speed_up:.2f}"
        f" ({gate.parallel_fraction:.0%} of the time in up to {gate.width} at once),"
        f" {counted(gate.expected_calls, 'call')}, {gate.expected_tokens:,} tokens,"
        f" {telling.usd(gate.expected_cost_usd)}"
    )
