"""Requests and verdicts between the contract's words and ours."""

from typing import Final

from gremium.v1 import judge_pb2, manifest_pb2
from judge_svc.audit import Audit, Case
from judge_svc.checks import Check, Outcome
from judge_svc.comparing import Contest, Ranking
from judge_svc.rubric import CRITERIA, Criterion
from judge_svc.verdict import Verdict
from services.core.answers import Answer
from services.core.errors import InvalidRequestError
from services.core.prompts import Prompt
from services.models.asking import Asked, participation_to_wire
from services.models.backend import RosterModel
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


def case_from_wire(prompt: Prompt, answer: Answer, spec: judge_pb2.JudgeSpec) -> Case:
    asked_for = {CRITERION_FROM_WIRE[criterion] for criterion in spec.criteria}
    return Case(
        prompt=prompt,
        answer=answer,
        criteria=tuple(c for c in CRITERIA if c in asked_for or not asked_for),
        min_score=spec.min_score if spec.HasField("min_score") else DEFAULT_MIN_SCORE,
        timeout_s=duration_from_wire(spec.timeout),
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
    jurors = [answer.juror for answer in answers]
    if twice := sorted({juror for juror in jurors if jurors.count(juror) > 1}):
        problem = f"jurors must be unique; {twice} occur twice"
        raise InvalidRequestError(f"answers: {problem}", violations=(("answers", problem),))
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
    return manifest_pb2.Verdict(
        kind=KIND_TO_WIRE[verdict.kind],
        score=verdict.score,
        checks=[_check(check) for check in verdict.checks],
        judge=verdict.judge,
        juror=juror,
        reason_text=cut(verdict.reason_text, most_bytes=MAX_EVIDENCE_BYTES),
        unjudged_reason=verdict.unjudged_reason,
        unsafe=verdict.unsafe,
    )


def _check(check: Check) -> manifest_pb2.Check:
    return manifest_pb2.Check(
        name=check.name,
        outcome=OUTCOME_TO_WIRE[check.outcome],
        score=check.score,
        veto=check.veto,
        evidence=cut(check.evidence, most_bytes=MAX_EVIDENCE_BYTES),
    )
