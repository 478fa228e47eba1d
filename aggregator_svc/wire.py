"""Requests to cases, decisions to tallies."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from aggregator_svc.case import Case, Decision, Method
from aggregator_svc.voting import Class, Floats
from gremium.v1 import aggregator_pb2, manifest_pb2
from services.core.errors import InvalidRequestError
from services.runtime.wire import answer_from_wire, cut, output_format_from_wire, tools_from_wire

MAX_VALUE_BYTES: Final = 4096
MIN_SHARE: Final = 0.5

METHODS: Final[dict[int, Method]] = {
    aggregator_pb2.AGGREGATION_METHOD_UNSPECIFIED: "auto",
    aggregator_pb2.AGGREGATION_METHOD_PLURALITY: "plurality",
    aggregator_pb2.AGGREGATION_METHOD_MEDOID: "medoid",
    aggregator_pb2.AGGREGATION_METHOD_WEIGHTED: "weighted",
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
    _check_unique("answers", jurors)
    _check_unique("weights", [weight.juror for weight in request.weights])
    _check_unique("scores", [score.juror for score in request.scores])
    return Case(
        answers=tuple(answer_from_wire(answer) for answer in request.answers),
        output_format=output_format_from_wire(request.output_format),
        tools=tools_from_wire(request.tools),
        method=METHODS[request.method],
        weights=_weights(request, jurors),
        priors=_priors(request, jurors),
        scores=_scores(request, jurors),
        min_share=request.min_share if request.HasField("min_share") else MIN_SHARE,
        min_similarity=request.min_similarity if request.HasField("min_similarity") else None,
    )


def _check_unique(field: str, jurors: Sequence[str]) -> None:
    twice = sorted({juror for juror in jurors if jurors.count(juror) > 1})
    if twice:
        problem = f"jurors must be unique; {twice} occur twice"
        raise InvalidRequestError(f"{field}: {problem}", violations=((field, problem),))


def _weights(request: aggregator_pb2.AggregateRequest, jurors: Sequence[str]) -> Floats:
    given = {weight.juror: weight.weight for weight in request.weights}
    return np.array([given.get(juror, 1.0) for juror in jurors])


def _priors(request: aggregator_pb2.AggregateRequest, jurors: Sequence[str]) -> Floats:
    given = {w.juror: w.prior for w in request.weights if w.HasField("prior")}
    return np.array([given.get(juror, np.nan) for juror in jurors])


def _scores(request: aggregator_pb2.AggregateRequest, jurors: Sequence[str]) -> Floats:
    given = {score.juror: score.score for score in request.scores}
    return np.array([given.get(juror, np.nan) for juror in jurors])


def response_to_wire(
    decision: Decision, request: aggregator_pb2.AggregateRequest
) -> aggregator_pb2.AggregateResponse:
    chosen = decision.representative
    return aggregator_pb2.AggregateResponse(
        tally=tally_to_wire(decision, [answer.juror for answer in request.answers]),
        representative=None if chosen is None else request.answers[chosen],
    )


def tally_to_wire(decision: Decision, jurors: Sequence[str]) -> manifest_pb2.Tally:
    tally = manifest_pb2.Tally(
        ballots=[
            manifest_pb2.Ballot(juror=juror, key=b.key, repairs=b.repairs, reason=b.reason)
            for juror, b in zip(jurors, decision.ballots, strict=True)
        ],
        method=decision.method,
        similarity=decision.similarity,
        reason_text=decision.reason_text,
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
    return tally


def _class_to_wire(
    found: Class, decision: Decision, jurors: Sequence[str]
) -> manifest_pb2.TallyClass:
    return manifest_pb2.TallyClass(
        key=found.key,
        value=cut(decision.ballots[found.representative].value, most_bytes=MAX_VALUE_BYTES),
        jurors=[jurors[i] for i in found.members],
        weight=found.weight,
        share=found.share,
        representative=jurors[found.representative],
    )
