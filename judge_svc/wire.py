"""Requests and verdicts between the contract's words and ours."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from gremium.v1 import judge_pb2, manifest_pb2, types_pb2
from judge_svc.audit import Audit, Case
from judge_svc.checks import Check, Outcome, Span
from judge_svc.comparing import Contest, Ranking
from judge_svc.fusion import Fit, Weighed
from judge_svc.grounding import Signal
from judge_svc.rubric import CRITERIA, Criterion
from judge_svc.verdict import Verdict
from judge_svc.weighing import Standing
from services.core.answers import Answer
from services.core.prompts import Prompt
from services.models.asked import Asked
from services.models.asking import participation_to_wire
from services.models.backend import RosterModel
from services.runtime.rules import check_unique
from services.runtime.wire import (
    answer_from_wire,
    cut,
    duration_from_wire,
    lease_to_wire,
    prompt_from_wire,
)

DEFAULT_MIN_SCORE: Final = 0.5
MAX_EVIDENCE_BYTES: Final = 1024

CRITERION_FROM_WIRE: Final[dict[int, Criterion]] = {
    judge_pb2.CRITERION_HALLUCINATION: "hallucination",
    judge_pb2.CRITERION_SAFETY: "safety",
    judge_pb2.CRITERION_LOGIC: "logic",
}
KIND_TO_WIRE: Final = {
    "pass": manifest_pb2.VERDICT_KIND_PASS,
    "fail": manifest_pb2.VERDICT_KIND_FAIL,
    "unjudged": manifest_pb2.VERDICT_KIND_UNJUDGED,
}
OUTCOME_TO_WIRE: Final = {
    Outcome.PASS: manifest_pb2.CHECK_OUTCOME_PASS,
    Outcome.FAIL: manifest_pb2.CHECK_OUTCOME_FAIL,
    Outcome.NOT_APPLICABLE: manifest_pb2.CHECK_OUTCOME_NOT_APPLICABLE,
}


def case_from_wire(
    prompt: Prompt,
    answer: Answer,
    spec: judge_pb2.JudgeSpec,
    *,
    recused: Sequence[RosterModel] = (),
) -> Case:
    asked_for = {CRITERION_FROM_WIRE[criterion] for criterion in spec.criteria}
    return Case(
        prompt=prompt,
        answer=answer,
        criteria=tuple(c for c in CRITERIA if c in asked_for or not asked_for),
        min_score=spec.min_score if spec.HasField("min_score") else DEFAULT_MIN_SCORE,
        timeout_s=duration_from_wire(spec.timeout),
        recused=(*spec.recused, *(judge.name for judge in recused)),
    )


def standing_from_wire(request: judge_pb2.VerifyRequest) -> Standing:
    return Standing(
        peers=tuple(map(answer_from_wire, request.peers)),
        support=_support(request.tally, request.answer.juror),
        prior=request.prior if request.HasField("prior") else None,
    )


def _support(tally: manifest_pb2.Tally, juror: str) -> float | None:
    """P(correct) of the class that a juror voted for, else its share; None without a class."""
    for each in tally.classes:
        if juror in each.jurors:
            return each.p_correct.value if each.HasField("p_correct") else each.share
    return None


def fit_from_wire(fitted: judge_pb2.FittedVerdict) -> Fit:
    return Fit(
        intercept=fitted.intercept,
        coefficients=dict(fitted.coefficients),
        threshold=fitted.threshold if fitted.HasField("threshold") else None,
        alpha=fitted.alpha,
        delta=fitted.delta,
        n_labels=fitted.n_labels,
        calibration_id=fitted.calibration_id,
    )


def audit_to_wire(audit: Audit, *, juror: str) -> judge_pb2.VerifyResponse:
    return judge_pb2.VerifyResponse(
        verdict=_verdict(audit.verdict, juror),
        participations=[_participation(judge, asked) for judge, asked in audit.asked],
        unspent=lease_to_wire(audit.unspent),
    )


def contest_from_wire(request: judge_pb2.RankRequest) -> Contest:
    """Read a request to compare.

    Raises
    ------
    InvalidRequestError
        If a juror answers twice.
    """
    answers = tuple(answer_from_wire(answer) for answer in request.answers)
    check_unique("answers", [answer.juror for answer in answers])
    return Contest(
        prompt=prompt_from_wire(request.prompt),
        answers=answers,
        timeout_s=duration_from_wire(request.judge.timeout),
    )


def ranking_to_wire(ranking: Ranking) -> judge_pb2.RankResponse:
    return judge_pb2.RankResponse(
        ranking=[
            judge_pb2.RankedAnswer(
                juror=ranking.jurors[standing.answer],
                score=standing.score,
                position_inconsistent=standing.position_inconsistent,
                comparisons=standing.comparisons,
            )
            for standing in ranking.standings
        ],
        participations=[_participation(judge, asked) for judge, asked in ranking.asked],
        unspent=lease_to_wire(ranking.unspent),
    )


def _participation(judge: RosterModel, asked: Asked) -> manifest_pb2.Participation:
    return participation_to_wire(
        asked, stage=manifest_pb2.STAGE_JUDGE, name=judge.name, model=judge, tier=""
    )


def _verdict(verdict: Verdict, juror: str) -> manifest_pb2.Verdict:
    told = verdict.weighed
    return manifest_pb2.Verdict(
        kind=KIND_TO_WIRE[verdict.kind],
        score=verdict.score,
        checks=[_check(check) for check in verdict.checks],
        judge=verdict.judge,
        juror=juror,
        reason_text=cut(verdict.reason_text, most_bytes=MAX_EVIDENCE_BYTES),
        unjudged_reason=verdict.unjudged_reason,
        unsafe=verdict.unsafe,
        repairs=verdict.repairs,
        p_ok=None if told is None or told.p_ok is None else _probability(told, told.p_ok),
        promise=None if told is None else _promise(verdict, told),
        signals=[
            _signal(each, told.fit.coefficients if told else {})
            for each in verdict.signals
            if math.isfinite(each.value)
        ],
    )


def _probability(told: Weighed, p_ok: float) -> types_pb2.Probability:
    low, high = told.interval or (p_ok, p_ok)
    return types_pb2.Probability(
        value=p_ok,
        low=low,
        high=high,
        calibrated=told.fit.calibrated,
        calibration_id=told.fit.calibration_id,
        support=told.fit.n_labels,
    )


def _promise(verdict: Verdict, told: Weighed) -> manifest_pb2.Promise:
    return manifest_pb2.Promise(
        threshold=told.fit.threshold,
        alpha=told.fit.alpha,
        delta=told.fit.delta,
        guarantee_holds=verdict.kind == "pass" and told.guarantee_holds,
    )


def _signal(signal: Signal, coefficients: Mapping[str, float]) -> manifest_pb2.Signal:
    return manifest_pb2.Signal(
        name=signal.name,
        value=signal.value,
        coefficient=coefficients.get(signal.name, 0.0),
        evidence=cut(signal.evidence, most_bytes=MAX_EVIDENCE_BYTES),
    )


def _check(check: Check) -> manifest_pb2.Check:
    return manifest_pb2.Check(
        name=check.name,
        outcome=OUTCOME_TO_WIRE[check.outcome],
        score=check.score,
        veto=check.veto,
        evidence=cut(check.evidence, most_bytes=MAX_EVIDENCE_BYTES),
        span=None if check.span is None else _span(check.span),
    )


def _span(span: Span) -> manifest_pb2.Span:
    return manifest_pb2.Span(start=span[0], end=span[1])
