"""R4: jurors that are dead or hung cost their own votes; below the quorum each says why."""

import time

import pytest

from gremium.v1 import manifest_pb2
from tests.fault.five import ends, failure, jury, manifest_of, model, request, told
from tests.fault.stubs import MODES

TIMEOUT_S = 4.0
SHORT_S = 1.5
"""For juries that wait for the hung until the end."""
JUDGE = "judging"
SCRIPT = {JUDGE: MODES["verdict-pass"]}
LEFT_OUT = {"CANCELLED", "TIMED_OUT", "FAILED"}
JURORS, QUORUM = 5, 3
AT_QUORUM = [(kind, k) for kind in ("dead", "hung") for k in range(1, JURORS - QUORUM + 1)]
BELOW = [(kind, k) for kind in ("dead", "hung") for k in range(JURORS - QUORUM + 1, JURORS + 1)]


def shared_juries(places):
    """Of five jurors three must answer; any number is dead, or hung, and a few are of every kind."""
    url = places.url
    good = {name: model("four", url) for name in "abcde"}
    bad = {
        "dead": model("four", places.nowhere),
        "hung": model("hang", url),
        "failing": model("http-500", url),
    }
    fields = {"quorum": QUORUM, "judge": {"models": ["auditor"]}}
    parts = [
        jury(good | dict.fromkeys("edcba"[:k], bad[kind]), f"{kind}-{k}-of-five", **fields)
        for kind, k in AT_QUORUM + BELOW
    ]
    mixed = {"a": good["a"], "b": good["b"], **bad}
    return [*parts, jury(mixed, "few", **fields), ({"auditor": model(JUDGE, url)}, {})]


def ensemble_of(row, kind, k):
    return f"{kind}-{k}-of-five-{row.turn}", set("edcba"[:k])


@pytest.mark.parametrize(("kind", "k"), AT_QUORUM)
def test_the_others_answer_and_the_missing_are_named(row, gateway, kind, k):
    ensemble, bad = ensemble_of(row, kind, k)
    began = time.monotonic()
    reply = gateway.Ask(request(ensemble), timeout=TIMEOUT_S)
    took_s = time.monotonic() - began

    assert ("4", True) == (reply.answer.text, reply.degraded)
    told_of = ends(reply.manifest)
    assert set("abcde") - bad == {n for n, (end, _) in told_of.items() if end == "ANSWERED"}
    assert bad == {name for name, (end, why) in told_of.items() if end in LEFT_OUT and why}
    assert kind != "dead" or {("FAILED", "CONNECTION")} == {told_of[name] for name in bad}
    row.at_most("R4", f"degraded answer, {k} of {JURORS} {kind}, after", took_s, 1.0, unit="s")


@pytest.mark.parametrize(("kind", "k"), BELOW)
def test_below_the_quorum_all_who_are_missing_are_named_and_nobody_judges(
    row, gateway, provider, kind, k
):
    provider.reset()
    ensemble, bad = ensemble_of(row, kind, k)
    request_id = f"{ensemble}-{time.monotonic_ns()}"
    error = failure(lambda: gateway.Ask(request(ensemble, request_id), timeout=SHORT_S))
    manifest = manifest_of(gateway, request_id)

    assert ("ABORTED", "QUORUM_NOT_REACHED") == told(error)[:2]
    told_of = ends(manifest)
    assert bad == {name for name, (end, why) in told_of.items() if end in LEFT_OUT and why}
    assert JURORS - k == sum(end == "ANSWERED" for end, _ in told_of.values())
    assert {} == ends(manifest, manifest_pb2.STAGE_JUDGE)
    row.at_most("R4", "judge calls below the quorum", provider.seen().arrivals.get(JUDGE, 0), 0)
    assert spent(manifest) == pytest.approx(manifest.cost_usd)
    if k < JURORS or kind == "hung":
        assert (
            manifest.cost_usd > 0
        )  # else whoever was cut off while it connected may have been paid


def spent(manifest):
    return sum(part.cost_usd for part in manifest.participations)


def test_below_the_quorum_each_juror_says_why(row, gateway):
    request_id = f"few-{row.turn}-{time.monotonic_ns()}"
    error = failure(lambda: gateway.Ask(request(f"few-{row.turn}", request_id), timeout=SHORT_S))
    manifest = manifest_of(gateway, request_id)

    assert ("ABORTED", "QUORUM_NOT_REACHED") == told(error)[:2]
    told_of = ends(manifest)
    assert ("FAILED", "CONNECTION") == told_of["dead"]
    assert ("FAILED", "HTTP_STATUS") == told_of["failing"]
    assert told_of["hung"][0] in LEFT_OUT
    assert spent(manifest) == pytest.approx(manifest.cost_usd)
    assert manifest.cost_usd > 0
    assert manifest.model_calls >= 3
