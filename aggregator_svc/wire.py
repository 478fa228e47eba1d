"""Requests to cases, decisions to tallies."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from aggregator_svc.case import Case, Decision, Known, Method
from aggregator_svc.logit import Fitted
from aggregator_svc.synthesising import Order, Synthesis, Written
from aggregator_svc.voting import Class, Count, Floats
from gremium.v1 import aggregator_pb2, manifest_pb2, types_pb2
from services.config.synthesis import SYNTHESIS
from services.core.canonical import abstain_key
from services.core.errors import InvalidRequestError
from services.core.probability import MIN_LABELS
from services.models.asking import participation_to_wire
from services.runtime.rules import check_unique
from services.runtime.wire import (
    answer_from_wire,
    cut,
    duration_from_wire,
    lease_to_wire,
    output_format_from_wire,
    prompt_from_wire,
    tool_call_to_wire,
    tools_from_wire,
)

MAX_VALUE_BYTES: Final = 4096
MAX_FAMILY_BYTES: Final = 256
MAX_MODEL_BYTES: Final = 256
MIN_SHARE: Final = 0.5

METHODS: Final[dict[int, Method]] = {
    aggregator_pb2.AGGREGATION_METHOD_UNSPECIFIED: "auto",
    aggregator_pb2.AGGREGATION_METHOD_PLURALITY: "plurality",
    aggregator_pb2.AGGREGATION_METHOD_MEDOID: "medoid",
    aggregator_pb2.AGGREGATION_METHOD_WEIGHTED: "weighted",
    aggregator_pb2.AGGREGATION_METHOD_LOG_ODDS: "log_odds",
    aggregator_pb2.AGGREGATION_METHOD_FIELDWISE: "fieldwise",
}


def case_from_wire(request: aggregator_pb2.AggregateRequest) -> Case:
    """Read a request.

    Raises
    ------
    InvalidRequestError
        If a juror answers, is weighted or is scored twice, or a schema is no
        JSON object.
    """
    jurors = [answer.juror for answer in request.answers]
    priors = _priors(request, jurors)
    form, tools = output_format_from_wire(request.output_format), tools_from_wire(request.tools)
    abstains = abstain_key(form, tools)
    check_unique("answers", jurors)
    check_unique("weights", [weight.juror for weight in request.weights])
    check_unique("scores", [score.juror for score in request.scores])
    return Case(
        answers=tuple(answer_from_wire(answer) for answer in request.answers),
        output_format=form,
        tools=tools,
        method=METHODS[request.method],
        weights=_weights(request, jurors),
        priors=priors,
        scores=_scores(request, jurors),
        min_share=request.min_share if request.HasField("min_share") else MIN_SHARE,
        min_similarity=request.min_similarity if request.HasField("min_similarity") else None,
        fitted=_fitted(request, jurors, abstains) if request.HasField("fitted") else None,
        known=_known(request, jurors, priors) if request.HasField("by_priors") else None,
        min_confidence=request.min_confidence if request.HasField("min_confidence") else None,
        allow_splicing=request.allow_splicing,
        abstain_key=abstains,
        abstain_weight=request.abstain_weight if request.HasField("abstain_weight") else 1.0,
    )


def _weights(request: aggregator_pb2.AggregateRequest, jurors: Sequence[str]) -> Floats:
    given = {weight.juror: weight.weight for weight in request.weights}
    return np.array([given.get(juror, 1.0) for juror in jurors])


def _priors(request: aggregator_pb2.AggregateRequest, jurors: Sequence[str]) -> Floats:
    given = {w.juror: w.prior for w in request.weights if w.HasField("prior")}
    return np.array([given.get(juror, np.nan) for juror in jurors])


def _fitted(
    request: aggregator_pb2.AggregateRequest, jurors: Sequence[str], abstains: str
) -> Fitted:
    known = request.fitted
    alone = {weight.juror: weight.alone for weight in request.weights}
    abstaining = {weight.juror: weight.abstaining for weight in request.weights}
    return Fitted(
        none_score=known.none_score,
        abstain_score=known.abstain_score,
        abstain_key=abstains,
        alone=np.array([alone.get(juror, 0.0) for juror in jurors]),
        abstaining=np.array([abstaining.get(juror, 0.0) for juror in jurors]),
        best=jurors.index(known.best_juror) if known.best_juror in jurors else None,
        slope=known.slope,
        offset=known.offset,
        covariance=_covariance(known.covariance),
    )


def _known(
    request: aggregator_pb2.AggregateRequest, jurors: Sequence[str], priors: Floats
) -> Known:
    best = request.by_priors.best_juror
    return Known(
        best=jurors.index(best) if best in jurors else None,
        by_log_odds=request.by_priors.log_odds and not bool(np.isnan(priors).any()),
    )


def _covariance(given: Sequence[float]) -> tuple[float, float, float]:
    if len(given) not in {0, 3}:
        problem = f"has {len(given)} values; none or 3 are needed"
        raise InvalidRequestError(
            f"fitted.covariance: {problem}", violations=(("fitted.covariance", problem),)
        )
    slope, both, offset = given or (0.0, 0.0, 0.0)
    return slope, both, offset


def _scores(request: aggregator_pb2.AggregateRequest, jurors: Sequence[str]) -> Floats:
    given = {score.juror: score.score for score in request.scores}
    return np.array([given.get(juror, np.nan) for juror in jurors])


def order_from_wire(spec: aggregator_pb2.SynthesisSpec) -> Order:
    return Order(
        prompt=prompt_from_wire(spec.prompt),
        timeout_s=duration_from_wire(spec.timeout),
        max_output_tokens=spec.max_output_tokens if spec.HasField("max_output_tokens") else None,
    )


def response_to_wire(
    decision: Decision,
    request: aggregator_pb2.AggregateRequest,
    synthesis: Synthesis | None = None,
    *,
    abstains: str = "",
) -> aggregator_pb2.AggregateResponse:
    """`abstains`: the key of the class that does."""
    chosen = decision.representative
    tally = tally_to_wire(decision, [answer.juror for answer in request.answers])
    tally.abstain_key = abstains
    if decision.count is not None:
        tally.p_correct.CopyFrom(_p_correct(decision.count, request))
        _tell_classes(tally, decision.count, request)
    response = aggregator_pb2.AggregateResponse(
        tally=tally,
        representative=None if chosen is None else _representative(decision, chosen, request),
    )
    if synthesis is not None:
        _tell_synthesis(response, synthesis, request)
    return response


def _tell_synthesis(
    response: aggregator_pb2.AggregateResponse,
    synthesis: Synthesis,
    request: aggregator_pb2.AggregateRequest,
) -> None:
    """Put in what a synthesis came to, and whom it took."""
    response.unspent.CopyFrom(lease_to_wire(synthesis.unspent))
    response.participations.extend(
        participation_to_wire(
            asked, stage=manifest_pb2.STAGE_SYNTHESIS, name=model.name, model=model, tier=""
        )
        for model, asked in synthesis.asked
    )
    if synthesis.written is None:
        response.tally.fallback_trail.append(synthesis.fallback)
        return
    answer = _written(synthesis.written, request)
    response.representative.CopyFrom(answer)
    response.tally.synthesised = True
    response.tally.sources.extend(answer.sources)


def _written(written: Written, request: aggregator_pb2.AggregateRequest) -> types_pb2.Answer:
    """A synthesis is of every family that it comes from, its author's included."""
    sources = [request.answers[i] for i in written.sources]
    return types_pb2.Answer(
        juror=SYNTHESIS,
        model=cut(written.model, most_bytes=MAX_MODEL_BYTES),
        family=_joined([written.family.strip(), *(each.family.strip() for each in sources)]),
        text=written.text,
        finish_reason=types_pb2.FINISH_REASON_STOP,
        sources=[each.juror for each in sources],
    )


def _representative(
    decision: Decision, chosen: int, request: aggregator_pb2.AggregateRequest
) -> types_pb2.Answer:
    """The chosen answer; spliced, it is of every family that gave a field."""
    given = request.answers[chosen]
    if (made := decision.spliced) is None:
        return given
    givers = [request.answers[s.answer] for s in made.sources if s.answer is not None]
    families = [answer.family.strip() for answer in (given, *givers)]
    return types_pb2.Answer(
        juror=given.juror,
        model=given.model,
        family=_joined(families),
        text=made.text,
        tool_calls=[tool_call_to_wire(call) for call in made.tool_calls],
        finish_reason=given.finish_reason,
    )


def _joined(families: Sequence[str]) -> str:
    """Empty, so that no judge is independent, where one is unknown or they are too many."""
    joined = "+".join(dict.fromkeys(families))
    return joined if all(families) and len(joined.encode()) <= MAX_FAMILY_BYTES else ""


def tally_to_wire(decision: Decision, jurors: Sequence[str]) -> manifest_pb2.Tally:
    tally = manifest_pb2.Tally(
        ballots=[
            manifest_pb2.Ballot(juror=juror, key=b.key, repairs=b.repairs, reason=b.reason)
            for juror, b in zip(jurors, decision.ballots, strict=True)
        ],
        method=decision.method,
        similarity=decision.similarity,
        centroid_distance=decision.centroid_distance,
        outliers=[jurors[i] for i in decision.outliers],
        reason_text=decision.reason_text,
        spliced=_sources(decision, jurors),
    )
    if (count := decision.count) is not None:
        tally.classes.extend(_class_to_wire(c, decision, jurors) for c in count.classes)
        tally.leader = count.leader.key
        tally.consensus = count.consensus
        tally.margin = count.margin
        tally.entropy = count.entropy
        tally.divergence = count.divergence
        tally.tie = count.tie
        tally.tie_rule = count.tie_rule
        tally.fallback_trail.extend(count.fallbacks)
        if count.p_none is not None:
            tally.p_none = count.p_none
    return tally


def _tell_classes(
    tally: manifest_pb2.Tally, count: Count, request: aggregator_pb2.AggregateRequest
) -> None:
    """Put in how likely each class is right; of a guess only the leader's is told."""
    if count.guess:
        return
    for told, found in zip(tally.classes, count.classes, strict=True):
        if found.p_correct is not None:
            told.p_correct.CopyFrom(_calibrated(request, found.p_correct, *_ends(count, found)))


def _ends(count: Count, found: Class) -> tuple[float, float]:
    """90 % interval: what the leader may have more or less, the others lose or get in proportion."""
    low, high = count.interval or (0.0, 1.0)
    sure = count.leader.p_correct or 0.0
    if found.key == count.leader.key:
        return low, high
    if sure >= 1.0:
        return 0.0, 1.0 - low
    part = (found.p_correct or 0.0) / (1.0 - sure)
    return min(1.0, part * (1.0 - high)), min(1.0, part * (1.0 - low))


def _sources(decision: Decision, jurors: Sequence[str]) -> list[manifest_pb2.SplicedField]:
    if decision.spliced is None:
        return []
    return [
        manifest_pb2.SplicedField(
            pointer=source.pointer,
            juror="" if source.answer is None else jurors[source.answer],
            share=source.share,
        )
        for source in decision.spliced.sources
    ]


def _p_correct(count: Count, request: aggregator_pb2.AggregateRequest) -> types_pb2.Probability:
    sure = count.leader.p_correct or 0.0
    low, high = count.interval or (0.0, 1.0)
    if count.guess:
        return types_pb2.Probability(value=sure, low=low, high=high)
    return _calibrated(request, sure, low, high)


def _calibrated(
    request: aggregator_pb2.AggregateRequest, value: float, low: float, high: float
) -> types_pb2.Probability:
    return types_pb2.Probability(
        value=value,
        low=low,
        high=high,
        calibrated=request.fitted.n_labels >= MIN_LABELS,
        calibration_id=request.fitted.calibration_id,
        support=request.fitted.n_labels,
    )


def _class_to_wire(
    found: Class, decision: Decision, jurors: Sequence[str]
) -> manifest_pb2.TallyClass:
    own = decision.spliced.form if decision.spliced and not found.members else None
    return manifest_pb2.TallyClass(
        key=found.key,
        value=cut(own or decision.ballots[found.representative].value, most_bytes=MAX_VALUE_BYTES),
        jurors=[jurors[i] for i in found.members],
        weight=found.weight,
        share=found.share,
        representative=jurors[found.representative],
    )
