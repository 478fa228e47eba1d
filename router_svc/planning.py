"""Makes a plan for a prompt: as configured, by rules, or by a model; cut only where that pays."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from router_svc.cutting import Cut, cut
from router_svc.drafting import Draft, PlannerCall, drafted
from router_svc.drafts import from_cut
from router_svc.explain import Reading
from router_svc.gate import NOTHING, Cost, Prospect, gate, too_good, unaffordable
from router_svc.plan import Graph, Origin, Planned, StepProfile, plan, weighed, whole
from router_svc.profiles import Limits
from router_svc.reading import Reader
from router_svc.staff import Doer, Staff, best, prospect
from services.core.deadline import Deadline
from services.core.edges import PROMPT
from services.core.lease import Lease
from services.core.material import images
from services.core.prompts import Message, Prompt
from services.core.templates import filled, places
from services.models.asked import unspent
from services.models.backend import RosterModel

LEAST_STEPS: Final = 2
NO_LIMITS: Final = Limits(math.inf)
"""Whether somebody can be asked in time is seen when a step begins; here all are rated."""
SPLITTABLE: Final = frozenset({"text", "json"})
"""Shapes of answers that can be made of several."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be planned, and within which limits."""

    ensemble: str
    prompt: Prompt
    lease: Lease
    deadline: Deadline
    planner_lease: Lease
    """Of the lease, what asking the planner may take."""
    ask_planner: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan, and what making it took."""

    planned: Planned
    unspent: Lease
    calls: tuple[PlannerCall, ...] = ()


class Desk:
    """Plans for the ensembles of a configuration."""

    def __init__(self, reader: Reader, planners: Mapping[str, RosterModel]) -> None:
        """`planners` are the models that plan, by their names in the roster."""
        self._reader = reader
        self._planners = planners

    async def configured(self, graph: Graph | None, direct: Doer | None, task: Task) -> Outcome:
        """The configured steps; where a gate is asked for, only if they pay.

        Raises
        ------
        InvalidPlanError
            If there are none or they cannot be run.
        BudgetSpentError
            If the lease has fewer calls than they need.
        """
        if direct is not None and graph is not None:
            plan(graph, Lease(), ensemble=task.ensemble)
            single = await self._whole(direct, task)
            planned = await self._weighed(graph, Origin.CONFIG, direct, single, task)
            return Outcome(planned, task.lease)
        planned = plan(graph, task.lease, ensemble=task.ensemble)
        prospects = await self._prospects(planned.steps, task)
        return Outcome(weighed(planned, None, prospects), task.lease)

    async def made(self, staff: Staff, direct: Doer, task: Task) -> Outcome:
        """Steps that rules or the planner find, if they pay; else one call."""
        single = await self._whole(direct, task)
        if why := _indivisible(task.prompt):
            return Outcome(_undivided(direct, why, single), task.lease)
        if found := cut(task.prompt.question):
            graph = from_cut(found, await self._roles(found, staff, task), staff)
            planned = await self._weighed(graph, Origin.RULES, direct, single, task)
            return Outcome(planned, task.lease)
        if why := _not_worth_asking(staff, single, task):
            return Outcome(_undivided(direct, why, single), task.lease)
        draft = await self._drafted(staff, task)
        left = replace(task, lease=unspent(task.lease, [call.asked for call in draft.calls]))
        planned = await self._of_draft(draft, direct, single, left)
        return Outcome(planned, left.lease, draft.calls)

    async def _drafted(self, staff: Staff, task: Task) -> Draft:
        until = task.deadline.within(staff.planner_timeout_s)
        model = self._planners[staff.planner]
        lease = task.planner_lease
        return await drafted(task.prompt, staff, model, lease=lease, deadline=until)

    async def _of_draft(self, draft: Draft, direct: Doer, single: Prospect, task: Task) -> Planned:
        if draft.graph is None:
            return _undivided(direct, draft.problem or "the planner sees no parts in it", single)
        seconds = sum(call.asked.duration_s for call in draft.calls)
        paid = Prospect(1.0, seconds, calls=0)
        return await self._weighed(draft.graph, Origin.PLANNER, direct, single, task, planner=paid)

    async def _weighed(
        self,
        graph: Graph,
        origin: Origin,
        direct: Doer,
        single: Prospect,
        task: Task,
        *,
        planner: Prospect = NOTHING,
    ) -> Planned:
        """The graph as a plan if it pays, else one call."""
        prospects = await self._prospects(graph.steps, task)
        written = task.prompt.tokens + sum(each.tokens for each in prospects.values())
        found = gate(
            graph.reads,
            prospects,
            required=[step.id for step in graph.steps if step.required],
            quorums=graph.quorums,
            single=single,
            merge=await self._merge(graph.merge, written, task),
            planner=planner,
            lease=task.lease,
        )
        if not found.pays:
            return whole(direct, found.text, gate=found, expected=single)
        planned = plan(graph, task.lease, ensemble=task.ensemble, origin=origin)
        return weighed(planned, found, prospects)

    async def _merge(self, merge: Doer | None, written: int, task: Task) -> Prospect:
        """To put outputs together is easy, and takes reading all of them."""
        if merge is None:
            return NOTHING
        reading = await self._read("", task)
        return prospect(merge, reading, NO_LIMITS, more_tokens=written)

    async def _roles(self, found: Cut, staff: Staff, task: Task) -> Sequence[str]:
        """Who does each part best."""
        readings = [await self._read(part.task, task) for part in found.parts]
        return [best(staff.roles, reading, NO_LIMITS) for reading in readings]

    async def _whole(self, direct: Doer, task: Task) -> Prospect:
        reading = await self._reader.read(task.prompt, deadline=task.deadline)
        return prospect(direct, reading, NO_LIMITS)

    async def _prospects(self, steps: Iterable[StepProfile], task: Task) -> dict[str, Prospect]:
        """What to expect of each step; each reads the whole question, too."""
        found = {}
        for step in steps:
            reading = await self._read(_asked_of(step, task.prompt), task)
            more = task.prompt.tokens
            found[step.id] = prospect(step.doer, reading, NO_LIMITS, more_tokens=more)
        return found

    async def _read(self, text: str, task: Task) -> Reading:
        prompt = Prompt((Message("user", (text,)),), params=task.prompt.params)
        return await self._reader.read(prompt, deadline=task.deadline)


def _asked_of(step: StepProfile, prompt: Prompt) -> str:
    """What a step is asked, as far as that is known before the others are done."""
    values = dict.fromkeys(places(step.goal), "") | {PROMPT: prompt.question}
    return step.task or filled(step.goal, values)


def _indivisible(prompt: Prompt) -> str:
    """Why a question is not even looked at, or empty."""
    if prompt.tools:
        return "steps cannot call the tools that are offered"
    if images(prompt):
        return "it is about images, which belong to all of it"
    if prompt.output_format.kind not in SPLITTABLE:
        return "an answer of the shape that is asked for has no parts"
    return ""


def _not_worth_asking(staff: Staff, single: Prospect, task: Task) -> str:
    """Why the planner is not asked, or empty."""
    if not staff.planner:
        return "no rule finds parts that can be answered apart"
    if good := too_good(single):
        return f"the planner is not asked: {good}"
    least = Cost(0.0, 1 + LEAST_STEPS + 1, 0)
    if short := unaffordable(least, task.lease):
        return f"the planner is not asked: {short[0]}"
    if not task.ask_planner:
        return "no rule finds parts that can be answered apart; the planner was left alone"
    return ""


def _undivided(direct: Doer, why: str, single: Prospect) -> Planned:
    return whole(direct, f"answered whole: {why}", gate=None, expected=single)
