"""A service that is down or frozen: what the caller is told, what it cost, and what a retry does."""

import os
import signal
import time
from contextlib import contextmanager

import grpc
import psutil
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2
from tests.running import mesh_running
from tests.scripted import CONFIG, upstream_thread
from tests.upstream import Reply

TIMEOUT_S = 8.0
FROZEN_S = 1.5
"""Less than a ping takes to notice that a peer is frozen."""
BACK_S = 30.0
"""Longest time until the supervisor has a service back."""
JURORS = ["slow-a", "slow-b", "slow-c"]


def config(url):
    """The scripted mesh, with an ensemble of priced jurors who take their time."""
    price = "timeout_s: 5, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
    models = [
        f'  {name}: {{backend: openai, model: {name}, family: {name}, base_url: "{url}", {price}}}'
        for name in JURORS
    ]
    jurors = ", ".join(f"{{model: {name}}}" for name in JURORS)
    added = "\n".join([*models, "ensembles:", f"  slow: {{pattern: jury, jurors: [{jurors}]}}"])
    return CONFIG.format(url=url).replace("ensembles:", added, 1)


@pytest.fixture(scope="module")
def server():
    with upstream_thread({name: Reply(delay_s=1.5) for name in JURORS}) as server:
        yield server


@pytest.fixture(scope="module")
def mesh(tmp_path_factory, server):
    with mesh_running(tmp_path_factory.mktemp("outages"), config(server.url)) as mesh:
        yield mesh


@pytest.fixture
def gateway(mesh):
    """The gateway of a mesh that has got over the test before."""
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        wait_until(lambda: answers(stub), within_s=BACK_S)
        yield stub


def answers(gateway):
    """Whether all stages answer again."""
    try:
        return not gateway.Ask(request(""), timeout=TIMEOUT_S).degraded
    except grpc.RpcError:
        return False


def request(request_id, ensemble="default"):
    turn = types_pb2.Message(role=2, parts=[types_pb2.Part(text="What is 2 + 2?")])
    prompt = types_pb2.Prompt(messages=[turn])
    return ensemble_pb2.AskRequest(request_id=request_id, ensemble=ensemble, prompt=prompt)


def failure(call):
    with pytest.raises(grpc.RpcError) as caught:
        call.result() if hasattr(call, "result") else call()
    return caught.value


def told(error):
    """Status, reason and metadata of an error."""
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in rpc_status.from_call(error).details)
    return error.code().name, info.reason, dict(info.metadata)


def manifest_of(gateway, request_id):
    """The manifest as soon as the request has ended."""
    until = time.monotonic() + TIMEOUT_S
    asked = ensemble_pb2.GetManifestRequest(request_id=request_id)
    while time.monotonic() < until:
        manifest = gateway.GetManifest(asked, timeout=TIMEOUT_S).manifest
        if manifest.state != manifest_pb2.MANIFEST_STATE_IN_PROGRESS:
            return manifest
        time.sleep(0.05)
    raise AssertionError(f"{request_id} has not ended")


def wait_until(condition, *, within_s):
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def process(mesh, service):
    """The process that serves now; the supervisor may have started it anew."""
    return next(
        child
        for child in psutil.Process(mesh.process.pid).children(recursive=True)
        if any(service in word for word in child.cmdline())
    )


@contextmanager
def frozen(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def killed(mesh, service):
    """Kill a service; it is not started anew before the block ends."""
    victim = process(mesh, service)
    with frozen(mesh.process.pid):
        victim.kill()
        yield


def answered(gateway, asked):
    """The reply to a request that is repeated until a service is back."""
    until = time.monotonic() + BACK_S
    while True:
        try:
            return gateway.Ask(asked, timeout=TIMEOUT_S)
        except grpc.RpcError as err:
            retry = told(err)[1] in {"PEER_UNAVAILABLE", "DEADLINE_SPENT", "STAGE_LOST"}
            if not retry or time.monotonic() > until:
                raise
            time.sleep(0.2)


def underway(gateway, server, request_id):
    """A call whose three jurors have been asked."""
    before = server.calls
    call = gateway.Ask.future(request(request_id, "slow"), timeout=TIMEOUT_S)
    wait_until(lambda: server.calls == before + 3, within_s=TIMEOUT_S)
    return call


def test_a_request_id_used_during_an_outage_is_answered_after_it(mesh, gateway):
    asked = request("during-outage")
    with killed(mesh, "jury_svc"):
        error = failure(lambda: gateway.Ask(asked, timeout=TIMEOUT_S))

    reply = answered(gateway, asked)

    assert ("UNAVAILABLE", "PEER_UNAVAILABLE") == told(error)[:2]
    assert ("4", False) == (reply.answer.text, reply.replayed)
    assert gateway.Ask(asked, timeout=TIMEOUT_S).replayed


def test_a_frozen_router_is_replaced_in_time(mesh, gateway):
    with frozen(process(mesh, "router_svc").pid):
        reply = gateway.Ask(request("frozen-router"), timeout=5.0)

    (lost,) = [part for part in reply.manifest.participations if part.reason]
    assert ("4", True) == (reply.answer.text, reply.degraded)
    assert "router did not answer within 1.0 s of the 5.0 s" == lost.reason_text


def test_a_frozen_jury_is_named_and_asked_again(mesh, gateway):
    asked = request("frozen-jury")
    with frozen(process(mesh, "jury_svc").pid):
        error = failure(lambda: gateway.Ask(asked, timeout=FROZEN_S))

    code, reason, metadata = told(error)
    assert ("DEADLINE_EXCEEDED", "DEADLINE_SPENT", "jury") == (code, reason, metadata["stage"])


def test_an_aggregator_that_dies_does_not_cost_what_was_paid(mesh, gateway, server):
    call = underway(gateway, server, "paid")
    with killed(mesh, "aggregator_svc"):
        reply = call.result()
    spent = server.calls
    again = gateway.Ask(request("paid", "slow"), timeout=TIMEOUT_S)

    assert ("4", True, 3) == (reply.answer.text, reply.degraded, reply.manifest.model_calls)
    assert "best_juror" == reply.manifest.tallies[0].method
    assert (True, spent) == (again.replayed, server.calls)


def jurors_told(manifest):
    return sorted(
        (p.name, manifest_pb2.ParticipationStatus.Name(p.status)[21:], p.usage_estimated)
        for p in manifest.participations
        if p.stage == manifest_pb2.STAGE_JURY
    )


def test_a_jury_that_dies_underway_is_counted_as_paid(mesh, gateway, server):
    call = underway(gateway, server, "lost-jury")
    with killed(mesh, "jury_svc"):
        code, reason, _ = told(failure(call))
    manifest = manifest_of(gateway, "lost-jury")

    assert ("UNAVAILABLE", "STAGE_LOST") == (code, reason)
    assert [(name, "FAILED", True) for name in JURORS] == jurors_told(manifest)
    assert (2 * 3, True) == (manifest.model_calls, manifest.cost_usd > 0)  # each may retry once


def test_a_caller_who_leaves_is_counted_as_having_paid(gateway, server):
    call = underway(gateway, server, "left")
    call.cancel()

    manifest = manifest_of(gateway, "left")
    code, reason, _ = told(failure(lambda: gateway.Ask(request("left", "slow"), timeout=5)))

    assert [(name, "CANCELLED", True) for name in JURORS] == jurors_told(manifest)
    assert (2 * 3, True) == (manifest.model_calls, manifest.cost_usd > 0)  # each may retry once
    assert (code, reason) == (manifest.error.code, manifest.error.reason)


def test_a_jury_that_dies_while_it_is_followed_ends_the_stream_with_an_error(mesh, gateway, server):
    before = server.calls
    asked = ensemble_pb2.AskStreamRequest(ask=request("followed", "slow"))
    call = gateway.AskStream(asked, timeout=TIMEOUT_S)
    wait_until(lambda: server.calls == before + 3, within_s=TIMEOUT_S)
    with killed(mesh, "jury_svc"):
        began = time.monotonic()
        *_, last = call
        took_s = time.monotonic() - began
    manifest = manifest_of(gateway, "followed")

    assert ("STAGE_LOST", "jury") == (last.error.reason, last.error.metadata["stage"])
    assert took_s < 1
    assert [(name, "FAILED", True) for name in JURORS] == jurors_told(manifest)
    assert (2 * 3, True) == (manifest.model_calls, manifest.cost_usd > 0)  # each may retry once
