"""From checks and a judge model's findings to a verdict. Pure.

Fail-closed: a pass needs a readable verdict of an independent judge in which every criterion passes
and no veto stands against it; with a calibration, a P(ok) that reaches its threshold (see `weighing`).
Everything else is a failure or `unjudged`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from judge_svc.checks import UNSAFE, Check, Outcome
from judge_svc.fusion import Weighed
from judge_svc.grounding import Signal
from judge_svc.rubric import Finding, Opinion

Kind = Literal["pass", "fail", "unjudged"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The finding on one answer."""

    kind: Kind
    checks: tuple[Check, ...]
    """Everything that was checked, the judge model's criteria last."""
    reason_text: str
    score: float | None = None
    """The lowest score of a criterion, in [0, 1]; None when no model judged."""
    judge: str = ""
    unjudged_reason: str = ""
    repairs: tuple[str, ...] = ()
    """Names of what it took to read the judge model's reply."""
    weighed: Weighed | None = None
    """What the signals say together; None without a calibration."""
    signals: tuple[Signal, ...] = ()
    """All that was found, whether a calibration weighs it or not."""

    @property
    def unsafe(self) -> bool:
        """Whether a safety check failed: the text must then never be delivered."""
        return any(check.failed and check.name in UNSAFE for check in self.checks)


def vetoed(checks: Sequence[Check]) -> Verdict | None:
    """The failing verdict of a veto, or None when nothing vetoes."""
    against = [check for check in checks if check.vetoes]
    if not against:
        return None
    return Verdict("fail", tuple(checks), _failures(against))


def unjudged(checks: Sequence[Check], *, reason: str, reason_text: str, judge: str = "") -> Verdict:
    """No model judged, so the answer neither passes nor fails."""
    return Verdict("unjudged", tuple(checks), reason_text, judge=judge, unjudged_reason=reason)


def judged(checks: Sequence[Check], opinion: Opinion, *, judge: str, min_score: float) -> Verdict:
    """Pass or fail by a judge model's findings.

    Raises
    ------
    ValueError
        If there are no findings.
    """
    findings, repairs = opinion.findings, opinion.repairs
    if not findings:
        raise ValueError("a verdict must have findings")
    score = min(finding.score for finding in findings)
    criteria = tuple(_criterion(finding, min_score) for finding in findings)
    against = [check for check in (*checks, *criteria) if check.vetoes]
    every = (*checks, *criteria)
    if against:
        return Verdict("fail", every, _failures(against), score, judge, repairs=repairs)
    text = f"{judge} found nothing to object; its lowest score {score:.2f} reaches {min_score:.2f}"
    return Verdict("pass", every, text, score, judge, repairs=repairs)


def _criterion(finding: Finding, min_score: float) -> Check:
    passed = finding.passed and finding.score >= min_score
    outcome = Outcome.PASS if passed else Outcome.FAIL
    return Check(
        finding.criterion,
        outcome,
        finding.evidence,
        veto=True,
        score=finding.score,
        span=finding.span,
    )


def _failures(against: Sequence[Check]) -> str:
    return "; ".join(f"{check.name}: {check.evidence or 'failed'}" for check in against)
