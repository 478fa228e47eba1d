"""What a calibration knows of the jurors of a tier, as the stages are told it. No I/O."""

from collections.abc import Sequence

from gremium.v1 import aggregator_pb2, judge_pb2, manifest_pb2
from services.calibration.artefact import PoolFit
from services.calibration.configured import Match, matched, pool_names, promised
from services.config.tree import Judge, Juror, Model, Tier
from services.core.priors import dominant
from services.gateway.case import Case
from services.gateway.stopping import BY_BALLOTS


def match_of(case: Case, tier: Tier) -> Match:
    """What is known of a tier's jurors, or why nothing of it is used."""
    method = case.ensemble.aggregate.method
    if case.calibration is not None and method not in BY_BALLOTS:
        return Match(None, f"`aggregate.method: {method}` counts otherwise than was learned")
    return matched(case.calibration, _names(case, tier), tier.jurors)


def _names(case: Case, tier: Tier) -> tuple[str, ...]:
    """Names of its pool; a lone juror that does a step of `specialists` is known by the step."""
    does_step = case.ensembles.get(case.name, case.ensemble) is not case.ensemble
    if does_step:
        return pool_names(case.name, tier.jurors[0].label, alone=False)
    return pool_names(case.name, tier.name, alone=len(case.ensemble.tiers) == 1)


def juror_weight(
    juror: Juror, model: Model, match: Match, *, may_call: bool = False, abstain_weight: float = 1.0
) -> aggregator_pb2.JurorWeight:
    """As learned; who has no weight in the configuration has none here either.

    `may_call`: to abstain is to call no tool. `abstain_weight` stands for what was
    not learned of abstaining.
    """
    if (fit := match.fit) is None:
        few = match.few
        prior = few.priors[few.jurors.index(juror.label)] if few else model.adequacy
        return aggregator_pb2.JurorWeight(juror=juror.label, weight=juror.weight, prior=prior)
    at = fit.jurors.index(juror.label)
    heard = juror.weight > 0.0
    extra = _abstaining(fit, at, may_call=may_call, abstain_weight=abstain_weight)
    return aggregator_pb2.JurorWeight(
        juror=juror.label,
        weight=fit.weights[at] if heard else 0.0,
        prior=fit.priors[at],
        alone=fit.alone[at] if heard else 0.0,
        abstaining=extra if heard else 0.0,
    )


def _abstaining(fit: PoolFit, at: int, *, may_call: bool, abstain_weight: float) -> float:
    """What a juror's ballot adds where it abstains."""
    if may_call:
        return fit.abstaining[at]
    if fit.declining is not None:
        return fit.declining.jurors[at]
    return (abstain_weight - 1.0) * fit.weights[at]


def fitted_vote(
    fit: PoolFit, *, calibration_id: str, may_call: bool = False
) -> aggregator_pb2.FittedVote:
    """`may_call`: to abstain is to call no tool."""
    declining = 0.0 if fit.declining is None else fit.declining.score
    return aggregator_pb2.FittedVote(
        none_score=fit.none_score,
        abstain_score=fit.abstain if may_call else declining,
        best_juror=fit.gate.best if fit.gate.closed else "",
        slope=fit.confidence.slope,
        offset=fit.confidence.offset,
        covariance=fit.confidence.covariance,
        n_labels=fit.n_labels,
        calibration_id=calibration_id,
    )


def prior_vote(
    case: Case, tier: Tier, weights: Sequence[aggregator_pb2.JurorWeight], match: Match
) -> aggregator_pb2.PriorVote | None:
    """How to count by priors alone, for want of a fit; None: each ballot counts its weight.

    An `adequacy` counts as known where it is set, not where it is the default.
    """
    if match.fit is not None or case.ensemble.aggregate.method != "auto":
        return None
    models = [case.models[juror.model] for juror in tier.jurors]
    if match.few is None and not all("adequacy" in model.model_fields_set for model in models):
        return None
    heard = [weight for weight in weights if weight.weight > 0.0]
    best = dominant([weight.prior for weight in heard])
    if match.few is None and best is None:
        return None
    return aggregator_pb2.PriorVote(
        best_juror="" if best is None else heard[best].juror, log_odds=match.few is not None
    )


def say_uncalibrated(tally: manifest_pb2.Tally, match: Match) -> None:
    """Let a tally say why its P(correct) is only a guess, if it is."""
    if tally.p_correct.calibrated:
        return
    if tally.synthesised:
        tally.uncalibrated_text = (
            "a model wrote the answer out of several: nothing was learned of such"
        )
        return
    counted = f"these answers were counted by `{tally.method}`, for which nothing was learned"
    tally.uncalibrated_text = match.why_not or counted


def fitted_verdict(case: Case, judge: Judge) -> judge_pb2.FittedVerdict | None:
    """What was learned of signals, at the promise that is asked for; None: a judge decides."""
    if case.calibration is None or judge.promise is None:
        return None
    found = promised(case.calibration, case.name, judge.promise)
    if found.fit is None or found.threshold is None:
        return None
    return judge_pb2.FittedVerdict(
        intercept=found.fit.intercept,
        coefficients=found.fit.coefficients,
        threshold=found.threshold.value,
        alpha=found.threshold.alpha,
        delta=found.threshold.delta,
        n_labels=found.fit.n_labels,
        calibration_id=case.calibration_id,
    )


def reliabilities(case: Case) -> dict[str, float]:
    """How much each judge's comparison counts; empty: nothing was learned."""
    fit = case.calibration.judges.get(case.name) if case.calibration else None
    return dict(fit.reliabilities) if fit else {}


def prior_of(case: Case, tier: str, juror: str) -> float | None:
    """How often a juror is right, as learned, else as configured; None of a strange one."""
    for each in case.ensemble.tiers:
        known = {one.label: one for one in each.jurors}
        if each.name == tier and juror in known:
            fit = match_of(case, each).known
            configured = case.models[known[juror].model].adequacy
            return fit.priors[fit.jurors.index(juror)] if fit else configured
    return None
