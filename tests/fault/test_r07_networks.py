"""R7: a network that drips, resets, is silent or cuts costs one attempt's time, never a vote."""

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2
from tests.fault.five import config, ends, jury, model, request
from tests.fault.stubs import deaf_port, stub
from tests.running import mesh_running

TIMEOUT_S = 6.0
ATTEMPT_S = 0.8
HOSTILE = ("hang", "silent", "drip", "drip-body", "deaf")
"""Each keeps its caller waiting at another place: for the connection, headers, the body, its rest."""
BROKEN = {
    "reset": {"CONNECTION"},
    "reset-after-headers": {"CONNECTION"},
}


@pytest.fixture(scope="module")
def provider():
    with stub() as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, provider):
    with (
        deaf_port() as deaf,
        mesh_running(tmp_path_factory.mktemp("r07"), configured(provider.url, deaf)) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


def configured(url, deaf):
    """Two good jurors and a hostile one; all three are waited for."""
    good = {name: model("four", url) for name in "ab"}
    kinds = {
        kind: model(kind, deaf if kind == "deaf" else url, timeout_s=ATTEMPT_S)
        for kind in (*HOSTILE, *BROKEN, "cut")
    }
    juries = [
        jury({**good, kind: spec}, kind, quorum=2, grace_s=5.0) for kind, spec in kinds.items()
    ]
    return config(juries, url)


def votes(manifest):
    return {name for tally in manifest.tallies for each in tally.classes for name in each.jurors}


def asked(gateway, kind, turn):
    return gateway.Ask(request(f"{kind}-{turn}"), timeout=TIMEOUT_S)


def streamed(gateway, kind, turn):
    asked = ensemble_pb2.AskStreamRequest(ask=request(f"{kind}-{turn}"))
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
