"""R7: a network that drips, resets, is silent or cuts costs one attempt's time, never a vote."""

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2
from tests.fault.five import ends, jury, model, request

TIMEOUT_S = 6.0
ATTEMPT_S = 0.8
HOSTILE = ("hang", "silent", "drip", "drip-body", "deaf")
"""Each keeps its caller waiting at another place: for the connection, headers, the body, its rest."""
BROKEN = {
    "reset": {"CONNECTION"},
    "reset-after-headers": {"CONNECTION"},
}


def shared_juries(places):
    """Two good jurors and a hostile one; all three are waited for."""
    good = {name: model("four", places.url) for name in "ab"}
    kinds = {
        kind: model(kind, places.deaf if kind == "deaf" else places.url, timeout_s=ATTEMPT_S)
        for kind in (*HOSTILE, *BROKEN, "cut")
    }
    return [
        jury({**good, kind: spec}, f"net-{kind}", quorum=2, grace_s=5.0)
        for kind, spec in kinds.items()
    ]


def votes(manifest):
    return {name for tally in manifest.tallies for each in tally.classes for name in each.jurors}


def asked(gateway, kind, turn):
    return gateway.Ask(request(f"net-{kind}-{turn}"), timeout=TIMEOUT_S)


def streamed(gateway, kind, turn):
    asked = ensemble_pb2.AskStreamRequest(ask=request(f"net-{kind}-{turn}"))
    *_, last = gateway.AskStream(asked, timeout=TIMEOUT_S)
    return last.final


@pytest.mark.parametrize("ask", [asked, streamed])
@pytest.mark.parametrize("kind", HOSTILE)
def test_the_attempts_timeout_fires_wherever_it_waits(row, gateway, kind, ask):
    reply = ask(gateway, kind, row.turn)

    (part,) = [each for each in reply.manifest.participations if each.name == kind]
    took_s = part.duration.ToTimedelta().total_seconds()
    assert manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT == part.status, part
    assert ({"a", "b"}, "4") == (votes(reply.manifest), reply.answer.text)
    row.at_most("R7", "attempt ended after its timeout by", took_s - ATTEMPT_S, 0.05, unit="s")


@pytest.mark.parametrize("ask", [asked, streamed])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_reset_is_a_failure_at_once(row, gateway, kind, ask):
    reply = ask(gateway, kind, row.turn)

    status, why = ends(reply.manifest)[kind]
    assert "FAILED" == status
    assert why in BROKEN[kind]
    assert ({"a", "b"}, "4") == (votes(reply.manifest), reply.answer.text)


def test_a_stream_cut_at_40_of_60_tokens_is_an_error_and_no_vote(row, gateway):
    reply = streamed(gateway, "cut", row.turn)

    status, why = ends(reply.manifest)["cut"]
    assert "FAILED" == status
    assert why in {"STREAM_CUT", "CONNECTION"}
    row.at_most("R7", "votes of a cut stream", len(votes(reply.manifest) - {"a", "b"}), 0)
    assert "4" == reply.answer.text
