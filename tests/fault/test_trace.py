"""One request through five processes leaves one trace, and less time at every hop."""

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, types_pb2
from tests.collector import attribute, collecting, edges, environment, label
from tests.running import mesh_running
from tests.scripted import CONFIG, upstream_thread

ASK = "gremium.v1.EnsembleService/Ask"
ROUTE = "gremium.v1.RouterService/Route"
DELIBERATE = "gremium.v1.JuryService/Deliberate"
AGGREGATE = "gremium.v1.AggregatorService/Aggregate"
VERIFY = "gremium.v1.JudgeService/Verify"
EDGES = {
    (None, f"server {ASK}"),
    (f"server {ASK}", f"client {ROUTE}"),
    (f"server {ASK}", f"client {DELIBERATE}"),
    (f"server {ASK}", f"client {AGGREGATE}"),
    (f"server {ASK}", f"client {VERIFY}"),
    (f"client {ROUTE}", f"server {ROUTE}"),
    (f"client {DELIBERATE}", f"server {DELIBERATE}"),
    (f"client {AGGREGATE}", f"server {AGGREGATE}"),
    (f"client {VERIFY}", f"server {VERIFY}"),
    (f"server {DELIBERATE}", "client chat four"),
    (f"server {VERIFY}", "client chat verdict-pass"),
}
TIMEOUT_S = 20


@pytest.fixture(scope="module")
def spans(tmp_path_factory):
    with (
        collecting() as collector,
        upstream_thread() as server,
        mesh_running(
            tmp_path_factory.mktemp("trace"),
            CONFIG.format(url=server.url),
            env=environment(collector),
        ) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        prompt = types_pb2.Prompt(
            messages=[types_pb2.Message(role=2, parts=[types_pb2.Part(text="What is 2 + 2?")])]
        )
        reply = ensemble_pb2_grpc.EnsembleServiceStub(channel).Ask(
            ensemble_pb2.AskRequest(prompt=prompt), timeout=TIMEOUT_S
        )
        yield collector.trace(reply.manifest.trace_id, until=lambda got: edges(got) >= EDGES)


def test_every_hop_hangs_below_its_caller(spans):
    assert edges(spans) == EDGES


def test_three_jurors_are_three_spans(spans):
    assert 3 == sum(label(span) == "client chat four" for span in spans)


@pytest.mark.parametrize("stage", [ROUTE, DELIBERATE, AGGREGATE, VERIFY])
def test_a_stage_has_less_time_than_the_gateway_had(spans, stage):
    left = {label(s): attribute(s, "gremium.deadline.remaining_s") for s in spans if s.kind == 2}

    assert 0 < left[f"server {stage}"] < left[f"server {ASK}"] <= TIMEOUT_S


def test_a_model_has_less_time_than_its_stage(spans):
    by_id = {span.span_id: span for span in spans}
    calls = [span for span in spans if label(span).startswith("client chat")]

    for call in calls:
        stage_s = attribute(by_id[call.parent_span_id], "gremium.deadline.remaining_s")
        assert 0 < attribute(call, "gremium.deadline.remaining_s") < stage_s
