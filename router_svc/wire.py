"""The router's decision as the contract words it."""

from typing import Final

from google.protobuf.duration_pb2 import Duration

from gremium.v1 import router_pb2, types_pb2
from router_svc.adequacy import interval
from router_svc.eligibility import Filter
from router_svc.explain import Reading, Reason
from router_svc.plan import Planned
from router_svc.policy import ROUTER_VERSION, Candidate, Decision, Option
from services.runtime.wire import duration_to_wire, output_format_to_wire

REASON_TO_WIRE: Final = {
    Reason.ONLY_TIER: router_pb2.ROUTE_REASON_ONLY_TIER,
    Reason.SPECIALIST: router_pb2.ROUTE_REASON_SPECIALIST,
    Reason.CHEAPEST_ADEQUATE: router_pb2.ROUTE_REASON_CHEAPEST_ADEQUATE,
    Reason.MOST_ADEQUATE: router_pb2.ROUTE_REASON_MOST_ADEQUATE,
    Reason.JURY: router_pb2.ROUTE_REASON_JURY,
}
FILTER_TO_WIRE: Final = {
    Filter.CONTEXT: router_pb2.FILTER_REASON_CONTEXT,
    Filter.IMAGES: router_pb2.FILTER_REASON_IMAGES,
    Filter.TOOLS: router_pb2.FILTER_REASON_TOOLS,
    Filter.COST: router_pb2.FILTER_REASON_COST,
    Filter.LATENCY: router_pb2.FILTER_REASON_LATENCY,
}


def decision_to_wire(decision: Decision, reading: Reading) -> router_pb2.RouteDecision:
    return router_pb2.RouteDecision(
        tiers=[_tier(option) for option in decision.tiers],
        candidates=[_candidate(candidate) for candidate in decision.candidates],
        domain=reading.match.domain,
        domain_similarity=reading.match.similarity,
        complexity=reading.complexity.score,
        contributions=[
            router_pb2.Contribution(feature=c.feature, value=c.value)
            for c in reading.complexity.contributions
        ],
        threshold=decision.threshold,
        reason=REASON_TO_WIRE[decision.reason],
        reason_text=decision.reason_text,
        runner_up=decision.runner_up,
        margin=decision.margin,
        propensity=1.0,
        router_version=ROUTER_VERSION,
    )


def plan_to_wire(planned: Planned) -> router_pb2.Plan:
    steps = [
        router_pb2.Step(
            id=step.id,
            goal=step.goal,
            specialist=step.specialist,
            depends_on=step.reads,
            required=step.required,
            output_format=output_format_to_wire(step.output_format) if step.output_format else None,
        )
        for step in planned.steps
    ]
    return router_pb2.Plan(steps=steps, reason_text=planned.reason_text)


def _tier(option: Option) -> router_pb2.Tier:
    seating = option.seating
    return router_pb2.Tier(
        name=option.name,
        jurors=[seat.juror.name for seat in seating.seats],
        quorum=seating.quorum,
        adequacy=_probability(option.adequacy),
        expected_cost_usd=seating.cost_usd,
        expected_latency=_latency(seating.latency_s),
    )


def _candidate(candidate: Candidate) -> router_pb2.CandidateScore:
    return router_pb2.CandidateScore(
        name=candidate.name,
        adequacy=_probability(candidate.adequacy),
        expected_cost_usd=candidate.cost_usd,
        expected_latency=_latency(candidate.latency_s),
        eligible=not candidate.filtered,
        filtered=[FILTER_TO_WIRE[kind] for kind in candidate.filtered],
    )


def _latency(seconds: float | None) -> Duration | None:
    return None if seconds is None else duration_to_wire(seconds)


def _probability(value: float) -> types_pb2.Probability:
    low, high = interval(value)
    return types_pb2.Probability(value=value, low=low, high=high)
