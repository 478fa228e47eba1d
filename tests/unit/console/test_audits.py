"""Of what was checked, that stands out which objects or says something."""

from gremium.v1 import manifest_pb2
from services.gateway.console.audits import audits
from tests.unit.console.manifests import manifest

PASS, FAIL, IDLE = (
    manifest_pb2.CHECK_OUTCOME_PASS,
    manifest_pb2.CHECK_OUTCOME_FAIL,
    manifest_pb2.CHECK_OUTCOME_NOT_APPLICABLE,
)


def test_objections_scores_and_evidence_stand_out_and_the_rest_is_named():
    checks = [
        manifest_pb2.Check(name="schema", outcome=PASS),
        manifest_pb2.Check(name="numbers", outcome=FAIL),
        manifest_pb2.Check(name="logic", outcome=PASS, score=0.0),
        manifest_pb2.Check(name="tools", outcome=IDLE),
        manifest_pb2.Check(name="pii", outcome=PASS, evidence="none"),
    ]

    (audit,) = audits(manifest(verdicts=[manifest_pb2.Verdict(checks=checks)]))

    assert ["numbers", "logic", "pii"] == [check.name for check in audit.telling]
    assert (("schema",), ("tools",)) == (audit.passed, audit.idle)
