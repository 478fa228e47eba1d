"""Decide by P(ok) where a calibration allows it; ask a judge model only where it can matter."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

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
        decided = replace(by_weight(checks, found), signals=tuple(signals))
        return Audit(decided, (), lease)
    audit = _with(signals, await audited(case, checks, judges, lease=lease, deadline=deadline))
    found = weighed(audit.verdict.signals, fit)
    if found.p_ok is None or fit.threshold is None:
        return replace(audit, verdict=unpromised(audit.verdict, found))
    decided = replace(by_weight(checks, found, audit.verdict), signals=audit.verdict.signals)
    return replace(audit, verdict=decided)


async def evidenced(
    case: Case,
    checks: Sequence[Check],
    judges: Sequence[RosterModel],
    signals: Coroutine[Any, Any, Sequence[Signal]],
    *,
    lease: Lease,
    deadline: Deadline,
) -> Audit:
    """Let a judge model decide; what else is known of the answer is kept for a calibration.

    It is found out meanwhile, so that no answer waits for what it does not need.
    """
    deciding = audited(case, checks, judges, lease=lease, deadline=deadline)
    audit, known = await asyncio.gather(deciding, signals)
    return _with(known, audit)


def _with(signals: Sequence[Signal], audit: Audit) -> Audit:
    """The audit with all signals, the judge model's among them."""
    known = (*signals, *judge_signal(audit.verdict))
    return replace(audit, verdict=replace(audit.verdict, signals=known))
