"""Decide by P(ok) where a calibration allows it; ask a judge model only where it can matter."""

from collections.abc import Sequence
from dataclasses import replace

from judge_svc.audit import Audit, Case, audited
from judge_svc.checks import Check
from judge_svc.fusion import JUDGE, Fit, undecided, weighed
from judge_svc.grounding import Signal
from judge_svc.weighing import by_weight, judge_signal, unasked, unpromised
from services.core.deadline import Deadline
from services.core.lease import Lease
from services.models.backend import RosterModel


async def promised(
    case: Case,
    checks: Sequence[Check],
    judges: Sequence[RosterModel],
    signals: Sequence[Signal],
    fit: Fit,
    *,
    lease: Lease,
    deadline: Deadline,
) -> Audit:
    """Audit an answer by what was learned of its signals.

    Without P(ok) or a threshold nothing passes: where a signal is missing, or no
    threshold keeps the promise, a judge model can object, but no more than leave
    the answer unjudged. So does a judge whose score the fit weighs and that gives none.
    """
    lacking = [name for name in weighed(signals, fit).missing if name != JUDGE]
    if not lacking and fit.threshold is not None and not undecided(signals, fit):
        found = unasked(signals, fit) if fit.asks_judge else weighed(signals, fit)
        return Audit(by_weight(checks, found), (), lease)
    audit = await audited(case, checks, judges, lease=lease, deadline=deadline)
    found = weighed([*signals, *judge_signal(audit.verdict)], fit)
    if found.p_ok is None or fit.threshold is None:
        return replace(audit, verdict=unpromised(audit.verdict, found))
    return replace(audit, verdict=by_weight(checks, found, audit.verdict))
