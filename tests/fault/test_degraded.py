"""Each stage killed under load: what stands in for it, inside the deadline of every caller."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2
from tests.fault.five import request, told
from tests.fault.replicas import wait_until
from tests.fault.supervised import BACK_S, answers, killed
from tests.running import mesh_running, models_told
from tests.scripted import CONFIG, upstream_thread
from tests.upstream import Reply

TIMEOUT_S = 6.0
AT_ONCE_S = 1.0
CALLERS = 20
TIERS = "[{name: first, jurors: [{model: a}]}, {name: second, jurors: [{model: b}]}]"
JUDGED = "default_timeout_s: 20, jurors: [{model: a}, {model: b}, {model: c, weight: 2}]"
ENSEMBLES = f"""\
ensembles:
  routed: {{pattern: route, tiers: {TIERS}, default_tier: second}}
  closed: {{pattern: jury, {JUDGED}, judge: {{models: [judge], on_failure: closed}}}}
"""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    script = {"four": Reply(text="4", delay_s=0.3)}
    with upstream_thread(script) as server:
        config = CONFIG.format(url=server.url).replace("ensembles:\n", ENSEMBLES, 1)
        with mesh_running(tmp_path_factory.mktemp("degraded"), config) as mesh:
            yield mesh


@pytest.fixture
def gateway(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        wait_until(lambda: answers(stub), within_s=BACK_S)
        yield stub


def timed(gateway, ensemble):
    """What one caller gets, and how long it took."""
    began_s = time.monotonic()
    try:
        got = gateway.Ask(request(ensemble), timeout=TIMEOUT_S)
    except grpc.RpcError as err:
        got = err
    return got, time.monotonic() - began_s


def under_load(mesh, gateway, service, ensemble="default"):
    """What twenty callers get, ten of them asking when the service is killed, ten right after."""
    with ThreadPoolExecutor(CALLERS) as callers:
        underway = [callers.submit(timed, gateway, ensemble) for _ in range(CALLERS // 2)]
        time.sleep(0.1)
        with killed(mesh, service):
            after = [callers.submit(timed, gateway, ensemble) for _ in range(CALLERS // 2)]
            return [call.result() for call in underway], [call.result() for call in after]


def reasons(reply, stage):
    parts = reply.manifest.participations
    return [part.reason for part in parts if part.stage == stage]


@pytest.mark.parametrize("service", ["router", "aggregator", "judge"])
def test_every_caller_has_an_answer_in_time(mesh, gateway, service):
    underway, after = under_load(mesh, gateway, f"{service}_svc")

    assert {"4"} == {reply.answer.text for reply, _ in underway + after}
    assert max(took_s for _, took_s in underway + after) < TIMEOUT_S
    assert all(reply.degraded for reply, _ in after)
    stage = manifest_pb2.Stage.Value(f"STAGE_{service.upper()}")
    lost = {reason for reply, _ in after for reason in reasons(reply, stage)}
    assert lost <= {"PEER_UNAVAILABLE", "STAGE_LOST"}
    assert lost


def test_the_configured_default_tier_stands_in_for_the_router(mesh, gateway):
    with killed(mesh, "router_svc"):
        reply, _ = timed(gateway, "routed")

    assert ("b", True) == (reply.answer.juror, reply.degraded)


def test_the_heaviest_juror_stands_in_for_the_aggregator(mesh, gateway):
    with killed(mesh, "aggregator_svc"):
        reply, _ = timed(gateway, "closed")

    assert ("c", "best_juror") == (reply.answer.juror, reply.manifest.tallies[0].method)


def test_a_judge_that_fails_closed_gives_no_text(mesh, gateway):
    underway, after = under_load(mesh, gateway, "judge_svc", "closed")

    assert {(manifest_pb2.OUTCOME_REJECTED, False, True)} == {
        (reply.outcome, reply.HasField("answer"), reply.degraded) for reply, _ in after
    }
    assert max(took_s for _, took_s in underway + after) < TIMEOUT_S


def test_without_a_jury_everybody_is_told_at_once(mesh, gateway):
    underway, after = under_load(mesh, gateway, "jury_svc")

    assert {("UNAVAILABLE", "PEER_UNAVAILABLE", "jury")} == {
        (*told(error)[:2], told(error)[2]["stage"]) for error, _ in after
    }
    assert max(took_s for _, took_s in after) < AT_ONCE_S
    assert max(took_s for _, took_s in underway) < AT_ONCE_S + 0.5


def test_failures_are_counted_and_shown(mesh, gateway):
    with killed(mesh, "aggregator_svc"):
        timed(gateway, "default")
        shown = models(mesh)
    listed = gateway.ListEnsembles(ensemble_pb2.ListEnsemblesRequest(), timeout=TIMEOUT_S)

    counted = {manifest_pb2.Stage.Name(each.stage): each for each in listed.stages}
    aggregator = counted["STAGE_AGGREGATOR"]
    assert 0 < aggregator.failed_calls < aggregator.calls
    assert "PEER_UNAVAILABLE" == aggregator.last_reason
    assert (False, True) == (shown["aggregator"]["serving"], shown["router"]["serving"])
    assert aggregator.failed_calls == shown["aggregator"]["failed_calls"]
    assert "PEER_UNAVAILABLE" == shown["aggregator"]["last_reason"]


def models(mesh):
    """What `gremium models` says of each service."""
    return {each["name"]: each for each in models_told(mesh)["stages"]}
