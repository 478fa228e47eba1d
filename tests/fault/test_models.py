"""A model that hangs, is dead or lies costs its own answer, never the caller's."""

import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from tests.fault.five import ends, jury, model
from tests.fault.stubs import Mode

TIMEOUT_S = 8
ANSWERED = manifest_pb2.OUTCOME_ANSWERED
SCRIPT = {"steady": Mode(delay_s=0.3), "lying": Mode(text="")}
"""The good models take their time: two that agree end the jury before it hears of the third."""


def shared_juries(places):
    """Two good jurors and one that is hung, dead or lies; and one that is hung alone."""
    url = places.url
    good = {name: model("steady", url) for name in "ab"}
    hung = model("hang", url, timeout_s=1.0)
    bad = {"hung": hung, "dead": model("four", places.nowhere), "liar": model("lying", url)}
    parts = [jury({**good, name: each}, f"with-{name}", quorum=2) for name, each in bad.items()]
    return [*parts, jury({"hung": hung}, "all-hung", quorum=1)]


def ask(gateway, ensemble, *, timeout=TIMEOUT_S):
    labels = types_pb2.LabelFormat(labels=["4", "5"])
    prompt = types_pb2.Prompt(
        messages=[types_pb2.Message(role=2, parts=[types_pb2.Part(text="What is 2 + 2?")])],
        output_format=types_pb2.OutputFormat(labels=labels),
    )
    asked = ensemble_pb2.AskRequest(ensemble=f"{ensemble}-1", prompt=prompt)
    return gateway.Ask(asked, timeout=timeout)


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
    status, why = ends(reply.manifest)[juror]

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


def test_a_hung_model_is_left_down_to_its_socket(gateway, provider):
    provider.reset()
    ask(gateway, "with-hung")

    seen = provider.until(lambda seen: not seen.underway, within_s=TIMEOUT_S)
    assert 1 == seen.left["hang"]


def test_when_all_hang_the_caller_hears_why_in_time(gateway):
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        ask(gateway, "all-hung", timeout=4)

    assert time.monotonic() - began < 4
    assert grpc.StatusCode.ABORTED is caught.value.code()
    assert "0 of 1 needed jurors answered: hung timed out" == caught.value.details()
