"""Whoever follows a request is told of a stage that is lost as of one that answers."""

from gremium.v1 import manifest_pb2
from tests.mesh.test_ask import PASS
from tests.mesh.test_outage import CASCADE, JUDGED
from tests.mesh.test_stream import kinds, told


async def test_a_judge_that_is_lost_is_told_as_no_verdict(serve):
    gateway = await serve(JUDGED, hung={"judge"})

    *events, last = await told(gateway, timeout_s=4.0)

    assert ["tallied", "judged"] == kinds(events)[-2:]
    judged = events[-1].judged
    assert (manifest_pb2.VERDICT_KIND_UNJUDGED, "DEADLINE_SPENT", "a") == (
        judged.kind,
        judged.unjudged_reason,
        judged.juror,
    )
    assert [judged] == list(last.final.manifest.verdicts)


async def test_without_a_judge_no_verdict_is_told(serve):
    gateway = await serve({"jurors": [{"model": "a"}]})

    assert "judged" not in kinds(await told(gateway))


async def test_jurors_that_were_lost_with_their_jury_are_told(serve):
    gateway = await serve(CASCADE, {"judge": PASS}, hung={"jury:a"})

    events = await told(gateway, timeout_s=4.0)

    lost = [e.juror_settled for e in events if e.HasField("juror_settled") and e.tier == "a"]
    assert ["DEADLINE_SPENT"] == [end.participation.reason for end in lost]
