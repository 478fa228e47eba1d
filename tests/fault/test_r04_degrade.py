"""R4: jurors that are dead or hung cost their own votes; below the quorum each says why."""

import time

import pytest

from gremium.v1 import manifest_pb2
from tests.fault.five import ends, failure, jury, manifest_of, model, request, told
from tests.fault.stubs import MODES

TIMEOUT_S = 4.0
JUDGE = "judging"
SCRIPT = {JUDGE: MODES["verdict-pass"]}
LEFT_OUT = {"CANCELLED", "TIMED_OUT", "FAILED"}


def shared_juries(places):
    """Five jurors of whom three must answer; two, or three, are dead, hung or failing."""
    url = places.url
    good = {name: model("four", url) for name in "abc"}
    bad = {
        "dead": model("four", places.nowhere),
        "hung": model("hang", url),
        "failing": model("http-500", url),
    }
    fields = {"quorum": 3, "judge": {"models": ["auditor"]}}
    parts = [
        jury({**good, "dead": bad["dead"], "hung": bad["hung"]}, "enough", **fields),
        jury({"a": good["a"], "b": good["b"], **bad}, "few", **fields),
    ]
    return [*parts, ({"auditor": model(JUDGE, url)}, {})]


def test_the_others_answer_and_the_missing_are_named(row, gateway):
    began = time.monotonic()
    reply = gateway.Ask(request(f"enough-{row.turn}"), timeout=TIMEOUT_S)
    took_s = time.monotonic() - began

    assert ("4", True) == (reply.answer.text, reply.degraded)
    told_of = ends(reply.manifest)
    assert {"a", "b", "c"} == {name for name, (end, _) in told_of.items() if end == "ANSWERED"}
    assert {"dead", "hung"} == {name for name, (end, _) in told_of.items() if end in LEFT_OUT}
    assert ("FAILED", "CONNECTION") == told_of["dead"]
    assert all(why for name, (_, why) in told_of.items() if name in {"dead", "hung"})
    row.at_most("R4", "degraded answer after", took_s, 1.0, unit="s")


def test_below_the_quorum_each_juror_says_why_and_nobody_judges(row, gateway, provider):
    provider.reset()
    request_id = f"few-{row.turn}-{time.monotonic_ns()}"
    error = failure(lambda: gateway.Ask(request(f"few-{row.turn}", request_id), timeout=TIMEOUT_S))
    manifest = manifest_of(gateway, request_id)

    assert ("ABORTED", "QUORUM_NOT_REACHED") == told(error)[:2]
    told_of = ends(manifest)
    assert ("FAILED", "CONNECTION") == told_of["dead"]
    assert ("FAILED", "HTTP_STATUS") == told_of["failing"]
    assert told_of["hung"][0] in LEFT_OUT
    assert all(why for name, (_, why) in told_of.items() if name in {"dead", "hung", "failing"})
    assert {} == ends(manifest, manifest_pb2.STAGE_JUDGE)
    row.at_most("R4", "judge calls below the quorum", provider.seen().arrivals.get(JUDGE, 0), 0)
    spent = sum(part.cost_usd for part in manifest.participations)
    assert manifest.cost_usd == pytest.approx(spent)
    assert manifest.cost_usd > 0
    assert manifest.model_calls >= 3
