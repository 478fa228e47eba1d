"""What each stage is asked, built from the case and the configuration. No I/O."""

from collections.abc import Collection, Iterable
from typing import Final

from gremium.v1 import (
    aggregator_pb2,
    judge_pb2,
    jury_pb2,
    manifest_pb2,
    model_status_pb2,
    router_pb2,
    types_pb2,
)
from services.calibration.artefact import PoolFit
from services.calibration.configured import Match
from services.config.tree import Judge, Juror, Model, Tier
from services.core.errors import InternalError
from services.core.lease import Lease
from services.gateway.case import Case
from services.gateway.learned import (
    fitted_verdict,
    fitted_vote,
    juror_weight,
    match_of,
    prior_of,
    prior_vote,
    reliabilities,
)
from services.gateway.recusal import judges_of
from services.gateway.stopping import stop_terms
from services.runtime.wire import duration_to_wire, lease_to_wire

METHODS: Final = {
    "auto": aggregator_pb2.AGGREGATION_METHOD_UNSPECIFIED,
    "plurality": aggregator_pb2.AGGREGATION_METHOD_PLURALITY,
    "semantic_mean": aggregator_pb2.AGGREGATION_METHOD_MEDOID,
    "medoid": aggregator_pb2.AGGREGATION_METHOD_MEDOID,
    "weighted": aggregator_pb2.AGGREGATION_METHOD_WEIGHTED,
    "log_odds": aggregator_pb2.AGGREGATION_METHOD_LOG_ODDS,
    "fieldwise": aggregator_pb2.AGGREGATION_METHOD_FIELDWISE,
}
CRITERIA: Final = {
    "hallucination": judge_pb2.CRITERION_HALLUCINATION,
    "safety": judge_pb2.CRITERION_SAFETY,
    "logic": judge_pb2.CRITERION_LOGIC,
}


def route_request(case: Case, lease: Lease, *, juror_time_s: float) -> router_pb2.RouteRequest:
    return router_pb2.RouteRequest(
        request_id=case.request_id,
        ensemble=case.name,
        prompt=case.prompt,
        lease=lease_to_wire(lease),
        juror_time=duration_to_wire(juror_time_s),
        models=_health(case),
        price_of_money=case.price_of_money,
        experience=case.experience,
        high_risk=case.asked.high_risk,
    )


def _health(case: Case) -> list[model_status_pb2.ModelState]:
    """How the models of the ensemble's jurors fare."""
    asked = {juror.model for tier in case.ensemble.tiers for juror in tier.jurors}
    return [state for state in case.health if state.model in asked]


def deliberate_request(
    case: Case, tier: router_pb2.Tier, lease: Lease
) -> jury_pb2.DeliberateRequest:
    here = configured(case, tier)
    match = match_of(case, here)
    weights = _weights(case, tier, match)
    return jury_pb2.DeliberateRequest(
        request_id=case.request_id,
        prompt=case.prompt,
        jurors=[_juror_spec(juror, case.models[juror.model]) for juror in jurors(case, tier)],
        quorum=tier.quorum,
        grace=duration_to_wire(here.grace_s),
        lease=lease_to_wire(lease),
        tier=tier.name,
        stop=stop_terms(
            here.stop,
            case.ensemble.aggregate,
            weights,
            _fitted(case, match.fit),
            prior_vote(case, here, weights, match),
        ),
        waves=here.waves,
    )


def aggregate_request(
    case: Case,
    tier: router_pb2.Tier,
    answers: Iterable[types_pb2.Answer],
    standings: Iterable[manifest_pb2.Standing] = (),
) -> aggregator_pb2.AggregateRequest:
    how, here = case.ensemble.aggregate, configured(case, tier)
    match = match_of(case, here)
    weights = _weights(case, tier, match)
    return aggregator_pb2.AggregateRequest(
        request_id=case.request_id,
        answers=answers,
        output_format=case.prompt.output_format,
        tools=case.prompt.tools,
        method=METHODS[how.method],
        weights=weights,
        min_share=how.min_share,
        min_similarity=how.min_similarity,
        fitted=_fitted(case, match.fit),
        by_priors=prior_vote(case, here, weights, match),
        min_confidence=how.min_confidence,
        allow_splicing=how.allow_splicing,
        abstain_weight=how.abstain_weight,
        scores=[
            aggregator_pb2.JudgeScore(juror=each.juror, score=each.score)
            for each in standings
            if each.comparisons
        ],
    )


def _weights(case: Case, tier: router_pb2.Tier, match: Match) -> list[aggregator_pb2.JurorWeight]:
    return [
        juror_weight(
            juror,
            case.models[juror.model],
            match,
            may_call=case.may_call,
            abstain_weight=case.ensemble.aggregate.abstain_weight,
        )
        for juror in jurors(case, tier)
    ]


def _fitted(case: Case, fit: PoolFit | None) -> aggregator_pb2.FittedVote | None:
    if fit is None:
        return None
    return fitted_vote(fit, calibration_id=case.calibration_id, may_call=case.may_call)


def comparison(case: Case, answers: Iterable[types_pb2.Answer]) -> aggregator_pb2.AggregateRequest:
    """Which answers of several tiers say the same; each juror is named by its index."""
    return aggregator_pb2.AggregateRequest(
        request_id=case.request_id,
        answers=unnamed(answers),
        output_format=case.prompt.output_format,
        tools=case.prompt.tools,
    )


def unnamed(answers: Iterable[types_pb2.Answer]) -> list[types_pb2.Answer]:
    """The same answers, each juror named by its index: of two tiers they may be called alike."""
    copies = []
    for nth, answer in enumerate(answers):
        copy = types_pb2.Answer()
        copy.CopyFrom(answer)
        copy.juror = str(nth)
        copies.append(copy)
    return copies


def verify_request(
    case: Case,
    judge: Judge,
    aggregated: aggregator_pb2.AggregateResponse,
    lease: Lease,
    *,
    late: Collection[str] = (),
    given: Iterable[types_pb2.Answer] = (),
) -> judge_pb2.VerifyRequest:
    """Judges that were `late` before are asked last.

    Of all answers that were `given`, those of the same tier are evidence; without
    a promise it is kept for a calibration. A promise was learned of jurors' answers:
    for a synthesis it does not hold.
    """
    chosen = aggregated.representative
    here = (chosen.step, chosen.tier)
    return judge_pb2.VerifyRequest(
        request_id=case.request_id,
        prompt=case.prompt,
        answer=chosen,
        judge=_judge_spec(case, judge, aggregated.tally.tier, late),
        tally=aggregated.tally,
        lease=lease_to_wire(lease),
        fitted=None if aggregated.tally.synthesised else fitted_verdict(case, judge),
        peers=[
            each for each in given if (each.step, each.tier) == here and each.juror != chosen.juror
        ],
        prior=prior_of(case, chosen.tier, chosen.juror),
    )


def rank_request(
    case: Case,
    judge: Judge,
    answers: Iterable[types_pb2.Answer],
    lease: Lease,
    *,
    tier: str,
    late: Collection[str] = (),
) -> judge_pb2.RankRequest:
    """Judges that were `late` before are asked last."""
    return judge_pb2.RankRequest(
        request_id=case.request_id,
        prompt=case.prompt,
        answers=answers,
        judge=_judge_spec(case, judge, tier, late),
        lease=lease_to_wire(lease),
        reliabilities=reliabilities(case),
    )


def _judge_spec(case: Case, judge: Judge, tier: str, late: Collection[str]) -> judge_pb2.JudgeSpec:
    models = judges_of(judge, case.ensemble, tier)
    return judge_pb2.JudgeSpec(
        models=sorted(models, key=lambda name: name in late),
        timeout=duration_to_wire(judge.timeout_s),
        criteria=[CRITERIA[criterion] for criterion in judge.criteria],
        min_score=judge.min_score,
        recused=[name for name in judge.models if name not in models],
    )


def jurors(case: Case, tier: router_pb2.Tier) -> list[Juror]:
    """The configured jurors of a routed tier, in its order.

    Raises
    ------
    InternalError
        If the configuration has no such tier or juror: the router reads another one.
    """
    by_label = {juror.label: juror for juror in configured(case, tier).jurors}
    foreign = [name for name in tier.jurors if name not in by_label]
    if foreign:
        raise InternalError(f"tier {tier.name} has no jurors {foreign}; it has {sorted(by_label)}")
    return [by_label[name] for name in tier.jurors]


def configured(case: Case, tier: router_pb2.Tier) -> Tier:
    """A routed tier as it is configured.

    Raises
    ------
    InternalError
        If the configuration has no such tier.
    """
    by_name = {configured.name: configured for configured in case.ensemble.tiers}
    if tier.name not in by_name:
        raise InternalError(f"ensemble {case.name} has no tier {tier.name}; it has {list(by_name)}")
    return by_name[tier.name]


def _juror_spec(juror: Juror, model: Model) -> jury_pb2.JurorSpec:
    return jury_pb2.JurorSpec(
        name=juror.label,
        model=juror.model,
        instruction=juror.instruction,
        timeout=duration_to_wire(juror.timeout_s or model.timeout_s),
    )
