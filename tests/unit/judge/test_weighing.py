"""P(ok) decides, a judge model's objection stays one, and only a pass keeps a promise."""

import pytest

from judge_svc.audit import Audit
from judge_svc.fusion import Fit, weighed
from judge_svc.grounding import Signal
from judge_svc.verdict import Verdict
from judge_svc.weighing import by_weight
from judge_svc.wire import audit_to_wire
from services.core.lease import Lease

FIT = Fit(0.0, {"support": 8.0}, 0.7, 0.1, 0.1, 120, "c0ffee")
SURE = weighed([Signal("support", 1.0)], FIT)


@pytest.mark.parametrize(
    ("judged", "kind"),
    [
        pytest.param(None, "pass", id="nobody was asked"),
        pytest.param(Verdict("pass", (), "fine", 0.9, "j"), "pass", id="the judge passes it"),
        pytest.param(Verdict("fail", (), "no", 0.1, "j"), "fail", id="the judge objects"),
    ],
)
def test_an_objection_stays_one_however_sure_the_signals_are(judged, kind):
    verdict = by_weight((), SURE, judged)
    told = audit_to_wire(Audit(verdict, (), Lease()), juror="a").verdict

    assert (kind, kind == "pass") == (verdict.kind, told.promise.guarantee_holds)


def test_a_verdict_by_weight_needs_a_probability():
    with pytest.raises(ValueError, match="needs P"):
        by_weight((), weighed([], FIT))
