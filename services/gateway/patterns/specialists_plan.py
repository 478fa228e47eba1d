"""Asks the router for a plan, and makes an ensemble of it that can be run."""

from collections.abc import Iterable, Sequence
from typing import Final

from gremium.v1 import manifest_pb2, router_pb2
from services.config.ensembles import Shared
from services.config.graphs import shape_of
from services.config.planning import DIRECT, Direct, Specialist
from services.config.steps import Merge, OnFail, Step
from services.config.tree import Model, SpecialistsEnsemble
from services.core.errors import InternalError
from services.core.lease import Call, Lease
from services.gateway import reserves
from services.gateway.case import Case
from services.gateway.estimates import PLANNER_CALLS, planner_calls, planner_tokens, reading
from services.gateway.failures import LOST
from services.gateway.fallbacks import default_plan
from services.gateway.losses import Seat
from services.gateway.mesh import Mesh
from services.gateway.record import Record
from services.runtime.wire import lease_to_wire, output_format_from_wire

PLANNER: Final = "planner"
"""What the manifest calls the model that plans."""
PLANNER_SHARE: Final = 0.25
"""Most of a request's time that planning with a model may take."""
MADE: Final = (router_pb2.PLAN_ORIGIN_RULES, router_pb2.PLAN_ORIGIN_PLANNER)
ON_FAIL: Final[dict[int, OnFail]] = {
    router_pb2.ON_FAIL_RETRY: "retry",
    router_pb2.ON_FAIL_FALLBACK: "fallback",
    router_pb2.ON_FAIL_SKIP: "skip",
    router_pb2.ON_FAIL_ABORT: "abort",
}


async def planned(
    case: Case, ensemble: SpecialistsEnsemble, *, mesh: Mesh, record: Record
) -> router_pb2.Plan:
    """The steps in order. For want of a router, those that the configuration names."""
    until = case.deadline.within(_allowed_s(case, ensemble))
    request = router_pb2.PlanRequest(
        request_id=case.request_id,
        ensemble=case.name,
        prompt=case.prompt,
        lease=lease_to_wire(record.lease),
    )
    part, kept = _before_steps(record.lease, planner_calls(ensemble, reading(case)))
    request.planner_lease.CopyFrom(lease_to_wire(part))
    seats = _seats(ensemble, case)
    try:
        with (
            record.keeping(kept, of=part),
            record.stage(manifest_pb2.STAGE_ROUTER, deadline=until, seats=seats),
        ):
            response = await mesh.plan(request, deadline=until)
            record.lease = _unspent(part, response.planner_calls)
    except LOST as err:
        if case.deadline.left_s == 0.0:
            raise
        record.degraded = True
        return default_plan(ensemble, err)
    record.manifest.participations.extend(_asked(response.planner_calls, case))
    return response.plan


def runnable(ensemble: SpecialistsEnsemble, plan: router_pb2.Plan) -> SpecialistsEnsemble:
    """The ensemble whose steps are those of the plan.

    Raises
    ------
    InternalError
        If the plan is of another configuration than this one.
    """
    made = plan.origin in MADE
    if plan.origin == router_pb2.PLAN_ORIGIN_DIRECT and ensemble.direct is not None:
        return _with(ensemble, {DIRECT: _direct(ensemble.direct)}, None)
    steps = {step.id: step for step in plan.steps}
    if not made and steps.keys() == ensemble.steps.keys():
        return ensemble
    strange = {step.role for step in plan.steps} - ensemble.specialists.keys()
    if not made or strange or not steps:
        raise InternalError("the router planned other steps than the ensemble has")
    return _with(
        ensemble,
        {name: _step(step, ensemble.specialists[step.role]) for name, step in steps.items()},
        _merge(ensemble, plan),
    )


def told(plan: router_pb2.Plan, ensemble: SpecialistsEnsemble) -> router_pb2.Plan:
    """A plan as callers are told it: without what steps are asked, and the folders."""
    shown = router_pb2.Plan()
    shown.CopyFrom(plan)
    for step in shown.steps:
        done_by = ensemble.steps[step.id]
        step.goal, step.specialist = "", done_by.model or done_by.ensemble or ""
        step.ClearField("output_format")
    return shown


def _allowed_s(case: Case, ensemble: SpecialistsEnsemble) -> float:
    """The router's share of the time, and with it the planner's."""
    left_s = case.deadline.left_s
    own_s = reserves.router_s(left_s, allowed_s=case.allowed_s)
    if ensemble.planner is None:
        return own_s
    return own_s + min(ensemble.planner.timeout_s, PLANNER_SHARE * left_s)


def _before_steps(lease: Lease, calls: Sequence[Call]) -> tuple[Lease, Lease]:
    """What planning may spend, and what is kept for the steps whatever becomes of it."""
    usd, tokens = sum(call.cost_usd for call in calls), sum(call.tokens for call in calls)
    part = Lease(
        None if lease.cost_usd is None else min(lease.cost_usd, usd),
        None if lease.model_calls is None else min(lease.model_calls, len(calls)),
        None if lease.tokens is None else min(lease.tokens, tokens),
    )
    kept = lease.less(
        cost_usd=part.cost_usd or 0.0,
        model_calls=part.model_calls or 0,
        tokens=part.tokens or 0,
    )
    return part, kept


def _unspent(part: Lease, calls: Iterable[router_pb2.PlannerCall]) -> Lease:
    every = list(calls)
    return part.less(
        cost_usd=sum(call.cost_usd for call in every),
        model_calls=sum(call.model_calls for call in every),
        tokens=sum(call.usage.input_tokens + call.usage.output_tokens for call in every),
    )


def _seats(ensemble: SpecialistsEnsemble, case: Case) -> list[Seat]:
    """The planner, once for each time that it may be asked."""
    if ensemble.planner is None:
        return []
    model = case.models[ensemble.planner.model]
    added = planner_tokens(ensemble) + model.max_output_tokens
    seat = Seat(PLANNER, ensemble.planner.model, added, model.max_output_tokens)
    return [seat] * PLANNER_CALLS


def _asked(calls: Iterable[router_pb2.PlannerCall], case: Case) -> list[manifest_pb2.Participation]:
    """Each question to the planner as a participation."""
    return [_participation(call, case.models[call.model]) for call in calls]


def _participation(call: router_pb2.PlannerCall, spec: Model) -> manifest_pb2.Participation:
    return manifest_pb2.Participation(
        stage=manifest_pb2.STAGE_ROUTER,
        name=PLANNER,
        model=call.model,
        requested_model=spec.model,
        served_model=call.served_model,
        provider=spec.provider_name,
        family=spec.family,
        status=_status(call),
        reason=call.reason,
        reason_text=call.reason_text,
        start_time=call.start_time,
        duration=call.duration,
        usage=call.usage,
        cost_usd=call.cost_usd,
        model_calls=call.model_calls,
        usage_estimated=call.usage_estimated,
        usage_doubt=call.usage_doubt,
        span_id=call.span_id,
    )


def _status(call: router_pb2.PlannerCall) -> manifest_pb2.ParticipationStatus.ValueType:
    if not call.reason:
        return manifest_pb2.PARTICIPATION_STATUS_ANSWERED
    if call.replied:
        return manifest_pb2.PARTICIPATION_STATUS_UNUSABLE
    if call.reason == "TIMED_OUT":
        return manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT
    asked = call.model_calls > 0
    return (
        manifest_pb2.PARTICIPATION_STATUS_FAILED
        if asked
        else manifest_pb2.PARTICIPATION_STATUS_SKIPPED
    )


def _with(
    ensemble: SpecialistsEnsemble, steps: dict[str, Step], merge: Merge | None
) -> SpecialistsEnsemble:
    shared = {field: getattr(ensemble, field) for field in Shared.model_fields}
    return SpecialistsEnsemble(**shared, pattern="specialists", steps=steps, merge=merge)


def _direct(direct: Direct) -> Step:
    return Step(model=direct.model, ensemble=direct.ensemble)


def _step(step: router_pb2.Step, done_by: Specialist) -> Step:
    return Step(
        goal=step.goal,
        model=done_by.model,
        ensemble=done_by.ensemble,
        retrieval=done_by.retrieval,
        timeout_s=done_by.timeout_s,
        depends_on=tuple(step.depends_on),
        required=step.required,
        on_fail=ON_FAIL.get(step.on_fail),
        output_format=shape_of(output_format_from_wire(step.output_format)),
    )


def _merge(ensemble: SpecialistsEnsemble, plan: router_pb2.Plan) -> Merge | None:
    """By the configured model, by a template that names each output, or not at all."""
    if len(plan.final) == 1 and not plan.merge_model:
        return None
    if plan.merge_model:
        return ensemble.merge
    return Merge(template="\n".join(f"{name}: {{{name}}}" for name in plan.final))
