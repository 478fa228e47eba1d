"""The router's decision as the contract words it, and what a request allows."""

import hashlib
import math
from typing import Final

import numpy as np
from google.protobuf.duration_pb2 import Duration

from gremium.v1 import model_status_pb2, router_pb2, types_pb2
from router_svc.explain import Reading, Reason
from router_svc.exploring import DIMENSIONS
from router_svc.forecast import Forecast
from router_svc.latency import Latency
from router_svc.options import Belief, Option, juror_belief
from router_svc.policy import ROUTER_VERSION, Candidate, Decision, correlations
from router_svc.profiles import Filter, Limits, ModelNow, Objection
from router_svc.recording import Recorded
from router_svc.seats import Seat
from services.core.errors import InvalidRequestError
from services.routing.bandit import Arm
from services.routing.features import FEATURE_VERSION
from services.runtime.wire import (
    duration_from_wire,
    duration_to_wire,
    lease_from_wire,
)

REASON_TO_WIRE: Final = {
    Reason.ONLY_TIER: router_pb2.ROUTE_REASON_ONLY_TIER,
    Reason.SPECIALIST: router_pb2.ROUTE_REASON_SPECIALIST,
    Reason.CHEAPEST_ADEQUATE: router_pb2.ROUTE_REASON_CHEAPEST_ADEQUATE,
    Reason.MOST_ADEQUATE: router_pb2.ROUTE_REASON_MOST_ADEQUATE,
    Reason.JURY: router_pb2.ROUTE_REASON_JURY,
    Reason.BEST_VALUE: router_pb2.ROUTE_REASON_BEST_VALUE,
    Reason.STRONG: router_pb2.ROUTE_REASON_STRONG,
    Reason.WEAK: router_pb2.ROUTE_REASON_WEAK,
    Reason.FIXED: router_pb2.ROUTE_REASON_FIXED,
    Reason.NOVEL: router_pb2.ROUTE_REASON_NOVEL,
    Reason.EXPLORED: router_pb2.ROUTE_REASON_EXPLORED,
}
FILTER_TO_WIRE: Final = {
    Filter.CONTEXT: router_pb2.FILTER_REASON_CONTEXT,
    Filter.IMAGES: router_pb2.FILTER_REASON_IMAGES,
    Filter.TOOLS: router_pb2.FILTER_REASON_TOOLS,
    Filter.SCHEMA: router_pb2.FILTER_REASON_SCHEMA,
    Filter.REGION: router_pb2.FILTER_REASON_REGION,
    Filter.LABEL: router_pb2.FILTER_REASON_LABEL,
    Filter.BREAKER: router_pb2.FILTER_REASON_BREAKER,
    Filter.PRICE_CAP: router_pb2.FILTER_REASON_PRICE_CAP,
    Filter.COST: router_pb2.FILTER_REASON_COST,
    Filter.LATENCY: router_pb2.FILTER_REASON_LATENCY,
}


def limits_from_wire(request: router_pb2.RouteRequest, *, min_on_time: float) -> Limits:
    """What the caller allows, and how it says that models fare and tiers have done.

    Raises
    ------
    InvalidRequestError
        If what came of a tier is not told in numbers that go together.
    """
    timed = request.HasField("juror_time")
    priced = request.HasField("price_of_money")
    return Limits(
        duration_from_wire(request.juror_time) if timed else math.inf,
        lease_from_wire(request.lease),
        {state.model: _now(state) for state in request.models},
        min_on_time,
        request.price_of_money if priced else None,
        {each.tier: _arm(each) for each in request.experience},
        request.high_risk,
        int.from_bytes(hashlib.sha256(request.request_id.encode()).digest()[:8]),
    )


def _arm(told: router_pb2.Experience) -> Arm:
    precision, moment = np.array(told.precision), np.array(told.moment)
    if precision.size != DIMENSIONS**2 or moment.size != DIMENSIONS:
        seen, due = f"{precision.size} and {moment.size}", f"{DIMENSIONS**2} and {DIMENSIONS}"
        raise InvalidRequestError(f"experience of {told.tier} has {seen} numbers; {due} are due")
    square = precision.reshape(DIMENSIONS, DIMENSIONS)
    if not np.allclose(square, square.T) or np.linalg.eigvalsh(square)[0] <= 0.0:
        raise InvalidRequestError(f"precision of {told.tier} is not positive definite")
    return Arm(square, moment)


def _now(state: model_status_pb2.ModelState) -> ModelNow:
    latency = None
    if state.HasField("latency_p50"):
        p95 = duration_from_wire(state.latency_p95) if state.HasField("latency_p95") else None
        latency = Latency(duration_from_wire(state.latency_p50), p95)
    return ModelNow(state.breaker == model_status_pb2.BREAKER_STATE_OPEN, latency)


def decision_to_wire(decision: Decision, reading: Reading) -> router_pb2.RouteDecision:
    forecast, draw = reading.forecast, decision.draw
    return router_pb2.RouteDecision(
        tiers=_tiers(decision, reading),
        candidates=[_candidate(each, reading) for each in decision.candidates],
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
        propensity=draw.propensity if draw else 1.0,
        explored=draw is not None and draw.explored,
        context=draw.context if draw else (),
        features=_features(reading.recorded),
        router_version=ROUTER_VERSION,
        novel=forecast.novel,
        policy=decision.rule or "",
        artefact_id=forecast.artefact_id,
        neighbors=forecast.neighbors,
        neighbor_similarity=forecast.similarity,
        price_of_money=decision.price_of_money,
        forecast_note=forecast.note,
        learned_domain=forecast.domain,
    )


def _features(recorded: Recorded | None) -> router_pb2.PromptFeatures | None:
    if recorded is None:
        return None
    return router_pb2.PromptFeatures(
        version=FEATURE_VERSION,
        values=recorded.values,
        question_digest=recorded.question_digest,
        vector=recorded.vector,
        embedding=recorded.embedding,
    )


def _tiers(decision: Decision, reading: Reading) -> list[router_pb2.Tier]:
    together = correlations(decision, reading)
    return [
        _tier(
            option,
            reading.forecast,
            {b: c for (a, b), c in together.items() if a == option.name},
        )
        for option in decision.tiers
    ]


def _tier(option: Option, forecast: Forecast, correlations: dict[str, float]) -> router_pb2.Tier:
    seating = option.seating
    return router_pb2.Tier(
        name=option.name,
        jurors=[seat.juror.name for seat in seating.seats],
        quorum=seating.quorum,
        adequacy=_probability(option.belief, forecast),
        expected_cost_usd=seating.cost_usd,
        expected_latency=_latency(seating.latency_s),
        correlations=correlations,
    )


def _candidate(candidate: Candidate, reading: Reading) -> router_pb2.CandidateScore:
    return router_pb2.CandidateScore(
        name=candidate.name,
        adequacy=_probability(candidate.belief, reading.forecast),
        expected_cost_usd=candidate.cost_usd,
        expected_latency=_latency(candidate.latency_s),
        eligible=not candidate.filtered,
        filtered=[FILTER_TO_WIRE[kind] for kind in candidate.filtered],
        objections=[_objection(each) for each in candidate.objections],
        cost_p90_usd=candidate.cost_p90_usd,
        latency_p95=_latency(candidate.latency_p95_s),
        p_on_time=candidate.on_time,
        utility=candidate.utility,
        models=[_model(seat, reading) for seat in candidate.seats],
    )


def _objection(objection: Objection) -> router_pb2.Objection:
    return router_pb2.Objection(
        juror=objection.juror, reason=FILTER_TO_WIRE[objection.filter], text=objection.text
    )


def _model(seat: Seat, reading: Reading) -> router_pb2.ModelForecast:
    known = seat.outlook
    tokens = known.tokens if known else None
    return router_pb2.ModelForecast(
        model=seat.juror.roster_name,
        adequacy=_probability(juror_belief(seat, reading), reading.forecast),
        cold=known is None or known.cold,
        output_tokens_p50=tokens.p50 if tokens else None,
        output_tokens_p90=tokens.p90 if tokens else None,
        effects=[
            router_pb2.Effect(feature=each.feature, logits=each.logits)
            for each in (known.effects if known else ())
        ],
    )


def _latency(seconds: float | None) -> Duration | None:
    return None if seconds is None else duration_to_wire(seconds)


def _probability(belief: Belief, forecast: Forecast) -> types_pb2.Probability:
    low, high = belief.interval
    return types_pb2.Probability(
        value=belief.value,
        low=low,
        high=high,
        calibrated=belief.calibrated,
        calibration_id=forecast.artefact_id if belief.calibrated else "",
        support=belief.n_labels,
    )
