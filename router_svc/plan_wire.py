"""A plan as the contract words it."""

from typing import Final

from gremium.v1 import router_pb2, types_pb2
from router_svc.adequacy import interval
from router_svc.drafting import PlannerCall
from router_svc.gate import Gate, Prospect
from router_svc.plan import OnFail, Origin, Planned, StepProfile
from router_svc.planning import Outcome
from services.core.answers import Status
from services.core.lease import Lease
from services.runtime.wire import (
    duration_to_wire,
    lease_from_wire,
    lease_to_wire,
    output_format_to_wire,
    timestamp_to_wire,
    usage_to_wire,
)

ORIGIN_TO_WIRE: Final = {
    Origin.CONFIG: router_pb2.PLAN_ORIGIN_CONFIG,
    Origin.RULES: router_pb2.PLAN_ORIGIN_RULES,
    Origin.PLANNER: router_pb2.PLAN_ORIGIN_PLANNER,
    Origin.DIRECT: router_pb2.PLAN_ORIGIN_DIRECT,
}
ON_FAIL_TO_WIRE: Final = {
    OnFail.RETRY: router_pb2.ON_FAIL_RETRY,
    OnFail.FALLBACK: router_pb2.ON_FAIL_FALLBACK,
    OnFail.SKIP: router_pb2.ON_FAIL_SKIP,
    OnFail.ABORT: router_pb2.ON_FAIL_ABORT,
}


def outcome_to_wire(outcome: Outcome) -> router_pb2.PlanResponse:
    return router_pb2.PlanResponse(
        plan=plan_to_wire(outcome.planned),
        unspent=lease_to_wire(outcome.unspent),
        planner_calls=[_call(call) for call in outcome.calls],
    )


def planner_lease_from_wire(request: router_pb2.PlanRequest) -> Lease:
    """Of the lease, what asking the planner may take: all, unless it is said."""
    told = request.planner_lease if request.HasField("planner_lease") else request.lease
    return lease_from_wire(told)


def plan_to_wire(planned: Planned) -> router_pb2.Plan:
    return router_pb2.Plan(
        steps=[_step(step, planned.prospects.get(step.id)) for step in planned.steps],
        reason_text=planned.reason_text,
        origin=ORIGIN_TO_WIRE[planned.origin],
        gate=_gate(planned.gate) if planned.gate else None,
        quorums=[router_pb2.StepQuorum(steps=q.steps, needed=q.needed) for q in planned.quorums],
        final=planned.final,
        merge_model=planned.merge_model,
    )


def _step(step: StepProfile, expected: Prospect | None) -> router_pb2.Step:
    told = router_pb2.Step(
        id=step.id,
        goal=step.goal,
        specialist=step.specialist,
        depends_on=step.reads,
        required=step.required,
        output_format=output_format_to_wire(step.output_format) if step.output_format else None,
        role=step.role,
        on_fail=ON_FAIL_TO_WIRE[step.on_fail] if step.on_fail else router_pb2.ON_FAIL_UNSPECIFIED,
    )
    if expected is not None and not step.doer.searches:
        low, high = interval(expected.adequacy)
        told.adequacy.CopyFrom(types_pb2.Probability(value=expected.adequacy, low=low, high=high))
    if expected is not None:
        told.expected_cost_usd = expected.usd
        told.expected_latency.CopyFrom(duration_to_wire(expected.seconds))
    return told


def _gate(found: Gate) -> router_pb2.PlanGate:
    return router_pb2.PlanGate(
        pays=found.pays,
        steps=found.n_steps,
        parallel_fraction=found.parallel,
        width=found.width,
        speed_up=found.speed_up,
        p_single=found.p_single,
        p_plan=found.p_plan,
        weakest_step=found.weakest,
        p_weakest=found.p_weakest,
        expected_cost_usd=found.cost.usd,
        expected_calls=found.cost.calls,
        expected_tokens=found.cost.tokens,
        objections=found.objections,
    )


def _call(call: PlannerCall) -> router_pb2.PlannerCall:
    asked = call.asked
    return router_pb2.PlannerCall(
        model=call.model.name,
        served_model=asked.reply.served_model if asked.reply else "",
        reason=call.reason,
        reason_text=call.reason_text,
        replied=asked.status is Status.ANSWERED,
        start_time=timestamp_to_wire(asked.started_at),
        duration=duration_to_wire(asked.duration_s),
        usage=usage_to_wire(asked.usage),
        cost_usd=asked.cost_usd,
        model_calls=asked.model_calls,
        usage_estimated=asked.usage_estimated,
        usage_doubt=asked.usage_doubt,
        span_id=asked.span_id,
    )
