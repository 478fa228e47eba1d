"""Whether a judge can be relied on. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.report.agreement import cohen_kappa
from services.report.figures import Figure, share
from services.report.rows import Request


@dataclass(frozen=True, slots=True)
class Judging:
    """How the verdicts of one ensemble look."""

    verdicts: int
    unjudged: Figure
    """Share of the verdicts that are none."""
    reasons: Mapping[str, int]
    """Why, UPPER_SNAKE, most frequent first."""
    failed: Figure
    """Share of the verdicts on which the judge said fail."""
    steady: Figure
    """Share of the compared answers whose comparisons did not change with the order."""
    kin: Figure
    """Share of the verdicts by a model of the author's family."""
    agrees: Figure
    """Share of the verdicts that say as feedback does."""
    kappa: Figure
    """The same beyond chance."""
    wrong_passes: Figure
    """Share of the answers passed that feedback calls bad."""


def judging_of(requests: Sequence[Request]) -> Judging | None:
    """Figures of one ensemble; None where nobody judges."""
    audits = [audit for request in requests for audit in request.audits]
    if not audits:
        return None
    said = [audit for audit in audits if audit.passed is not None]
    by_model = [audit.kin for audit in audits if audit.kin is not None]
    told = [audit for audit in said if audit.good is not None]
    passed = [audit for audit in told if audit.passed]
    stood = sum(request.stood for request in requests)
    changed = sum(request.inconsistent for request in requests)
    return Judging(
        verdicts=len(audits),
        unjudged=share(len(audits) - len(said), len(audits)),
        reasons=dict(Counter(a.reason for a in audits if a.reason).most_common()),
        failed=share(sum(not audit.passed for audit in said), len(said)),
        steady=share(stood - changed, stood),
        kin=share(sum(by_model), len(by_model)),
        agrees=share(sum(audit.passed == audit.good for audit in told), len(told)),
        kappa=cohen_kappa(
            np.array([bool(audit.passed) for audit in told], dtype=np.intp),
            np.array([bool(audit.good) for audit in told], dtype=np.intp),
        ),
        wrong_passes=share(sum(not audit.good for audit in passed), len(passed)),
    )
