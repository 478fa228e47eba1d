"""A model that hangs, is dead or lies costs its own answer, never the caller's."""

import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2
from tests.running import mesh_running
from tests.scripted import CONFIG, upstream_thread
from tests.upstream import Reply

TIMEOUT_S = 8
ANSWERED = manifest_pb2.OUTCOME_ANSWERED


@pytest.fixture(scope="module")
def server():
    """The good models take their time: two that agree end the jury before it hears of the third."""
    with upstream_thread({"four": Reply(delay_s=0.3)}) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, server):
    with (
        mesh_running(tmp_path_factory.mktemp("models"), CONFIG.format(url=server.url)) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


def ask(gateway, ensemble, *, timeout=TIMEOUT_S):
    labels = types_pb2.LabelFormat(labels=["4", "5"])
    prompt = types_pb2.Prompt(
        messages=[types_pb2.Message(role=2, parts=[types_pb2.Part(text="What is 2 + 2?")])],
        output_format=types_pb2.OutputFormat(labels=labels),
    )
    return gateway.Ask(ensemble_pb2.AskRequest(ensemble=ensemble, prompt=prompt), timeout=timeout)


def told_of(manifest, juror):
    [found] = [p for p in manifest.participations if p.name == juror]
    return manifest_pb2.ParticipationStatus.Name(found.status).rpartition("STATUS_")[
        2
    ], found.reason


@pytest.mark.parametrize(
    ("juror", "statuses", "reason"),
    [
        ("hung", {"TIMED_OUT", "CANCELLED"}, None),
        ("dead", {"FAILED"}, "CONNECTION"),
        ("liar", {"UNUSABLE"}, "EMPTY"),
    ],
)
def test_the_others_answer_in_time_and_the_manifest_tells(gateway, juror, statuses, reason):
    began = time.monotonic()
    reply = ask(gateway, f"with-{juror}")
    status, why = told_of(reply.manifest, juror)

    assert time.monotonic() - began < TIMEOUT_S
    assert (ANSWERED, "4") == (reply.outcome, reply.answer.text)
    assert status in statuses
    assert why == reason or reason is None


def test_a_lying_model_has_no_vote(gateway):
    [tally] = ask(gateway, "with-liar").manifest.tallies

    assert [["a", "b"]] == [list(c.jurors) for c in tally.classes]


def test_a_lying_models_tokens_still_count(gateway):
    manifest = ask(gateway, "with-liar").manifest

    assert 30 == manifest.usage.input_tokens


def test_a_hung_model_is_left_down_to_its_socket(gateway, server):
    before = server.disconnects
    ask(gateway, "with-hung")
    until = time.monotonic() + TIMEOUT_S
    while server.disconnects == before and time.monotonic() < until:
        time.sleep(0.05)

    assert server.disconnects == before + 1


def test_when_all_hang_the_caller_hears_why_in_time(gateway):
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        ask(gateway, "all-hung", timeout=4)

    assert time.monotonic() - began < 4
    assert grpc.StatusCode.ABORTED is caught.value.code()
    assert "0 of 1 needed jurors answered: hung timed out" == caught.value.details()
