"""Asks the planner model for a plan, and once more when what it wrote cannot be run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from router_svc.plan import Graph
from router_svc.planner import planner_prompt, read_plan
from router_svc.staff import Staff
from services.core.answers import ModelRequest, Status
from services.core.deadline import Deadline
from services.core.lease import Lease
from services.core.material import fence_of
from services.core.prompts import Prompt
from services.core.unreadable import UnreadableError
from services.models.asked import Asked, unspent
from services.models.asking import ask
from services.models.backend import RosterModel
from services.models.pricing import dearest, limited, spare

MOST_CALLS: Final = 2


@dataclass(frozen=True, slots=True)
class PlannerCall:
    """One question to a planner model."""

    model: RosterModel
    asked: Asked
    reason: str = ""
    """Why its reply is no plan that can be run, UPPER_SNAKE; empty: it is one."""
    reason_text: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What asking a planner came to."""

    calls: tuple[PlannerCall, ...] = ()
    graph: Graph | None = None
    """None: there is no plan, or the planner sees no parts."""
    problem: str = ""
    """Why there is no plan; empty: there is one, or nothing to cut."""


async def drafted(
    task: Prompt, staff: Staff, model: RosterModel, *, lease: Lease, deadline: Deadline
) -> Draft:
    """Ask for a plan while time and lease last; a planner that fails is no error."""
    calls: tuple[PlannerCall, ...] = ()
    while len(calls) < MOST_CALLS:
        request = _request(task, staff, problem=calls[-1].reason_text if calls else "")
        if short := _cannot_ask(model, request, lease, deadline):
            return Draft(calls, problem="; ".join([*_problems(calls), short]))
        asked = await _ask(model, request, lease, deadline)
        lease = unspent(lease, [asked])
        graph, call = _read(model, asked, task, staff)
        calls = (*calls, call)
        if not call.reason:
            return Draft(calls, graph)
        if asked.status is not Status.ANSWERED:
            break
    return Draft(calls, problem="; ".join(_problems(calls)))


def _request(task: Prompt, staff: Staff, *, problem: str) -> ModelRequest:
    fence = fence_of(task.question)
    return ModelRequest(planner_prompt(task, staff, fence=fence, problem=problem))


def _cannot_ask(model: RosterModel, request: ModelRequest, lease: Lease, until: Deadline) -> str:
    """Why a planner cannot be asked any more; empty when it can."""
    if limit := lease.exhausted(free=model.spec.price.free):
        return f"nothing is left to plan with: {limit}"
    call = dearest(request, model.spec)
    if not call.is_worth(call.output_within(lease)):
        return f"what is left pays for no plan of {model.name}"
    return "" if until.left_s > 0.0 else "no time is left to ask the planner"


async def _ask(
    model: RosterModel, request: ModelRequest, lease: Lease, deadline: Deadline
) -> Asked:
    call = dearest(request, model.spec)
    payable = limited(request, call.output_within(lease), call)
    purse = spare(lease, (payable, model.spec))
    left_s = deadline.left_s
    return await ask(model, payable, deadline=deadline, timeout_s=left_s, purse=purse)


def _read(
    model: RosterModel, asked: Asked, task: Prompt, staff: Staff
) -> tuple[Graph | None, PlannerCall]:
    if asked.status is not Status.ANSWERED or asked.reply is None:
        reason = asked.reason or asked.status.name
        return None, PlannerCall(model, asked, reason, asked.reason_text or reason)
    try:
        graph = read_plan(asked.reply.text, task, staff)
    except UnreadableError as err:
        return None, PlannerCall(model, asked, err.reason, str(err))
    return graph, PlannerCall(model, asked)


def _problems(calls: Sequence[PlannerCall]) -> list[str]:
    """What became of each question."""
    told = ("the planner gave no plan that can be run", "nor did its repair")
    return [f"{text} ({call.reason_text})" for text, call in zip(told, calls, strict=False)]
