"""A service that is down or frozen: what the caller is told, what it cost, and what a retry does."""

import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2
from tests.fault.five import TIMEOUT_S, failure, manifest_of, request, told
from tests.fault.replicas import wait_until
from tests.fault.supervised import BACK_S, SLOW, answers, killed, process
from tests.running import frozen

FROZEN_S = 1.5
"""Less than a ping takes to notice that a peer is frozen."""


@pytest.fixture(scope="module")
def server(supervised):
    return supervised.server


@pytest.fixture(scope="module")
def mesh(supervised):
    return supervised.mesh


@pytest.fixture
def gateway(mesh):
    """The gateway of a mesh that has got over the test before."""
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        wait_until(lambda: answers(stub), within_s=BACK_S)
        yield stub


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
    call = gateway.Ask.future(request("slow", request_id), timeout=TIMEOUT_S)
    wait_until(lambda: server.calls == before + 3, within_s=TIMEOUT_S)
    return call


def test_a_request_id_used_during_an_outage_is_answered_after_it(mesh, gateway):
    asked = request(request_id="during-outage")
    with killed(mesh, "jury_svc"):
        error = failure(lambda: gateway.Ask(asked, timeout=TIMEOUT_S))

    reply = answered(gateway, asked)

    assert ("UNAVAILABLE", "PEER_UNAVAILABLE") == told(error)[:2]
    assert ("4", False) == (reply.answer.text, reply.replayed)
    assert gateway.Ask(asked, timeout=TIMEOUT_S).replayed


def test_a_frozen_router_is_replaced_in_time(mesh, gateway):
    with frozen(process(mesh, "router_svc").pid):
        reply = gateway.Ask(request(request_id="frozen-router"), timeout=5.0)

    (lost,) = [part for part in reply.manifest.participations if part.reason]
    assert ("4", True) == (reply.answer.text, reply.degraded)
    assert "router did not answer within 1.0 s of the 5.0 s" == lost.reason_text


def test_a_frozen_jury_is_named_and_asked_again(mesh, gateway):
    asked = request(request_id="frozen-jury")
    with frozen(process(mesh, "jury_svc").pid):
        error = failure(lambda: gateway.Ask(asked, timeout=FROZEN_S))

    code, reason, metadata = told(error)
    assert ("DEADLINE_EXCEEDED", "DEADLINE_SPENT", "jury") == (code, reason, metadata["stage"])


def test_an_aggregator_that_dies_does_not_cost_what_was_paid(mesh, gateway, server):
    call = underway(gateway, server, "paid")
    with killed(mesh, "aggregator_svc"):
        reply = call.result()
    spent = server.calls
    again = gateway.Ask(request("slow", "paid"), timeout=TIMEOUT_S)

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
        code, reason, _ = told(failure(call.result))
    manifest = manifest_of(gateway, "lost-jury")

    assert ("UNAVAILABLE", "STAGE_LOST") == (code, reason)
    assert [(name, "FAILED", True) for name in SLOW] == jurors_told(manifest)
    assert (2 * 3, True) == (manifest.model_calls, manifest.cost_usd > 0)  # each may retry once


def test_a_caller_who_leaves_is_counted_as_having_paid(gateway, server):
    call = underway(gateway, server, "left")
    call.cancel()

    manifest = manifest_of(gateway, "left")
    code, reason, _ = told(failure(lambda: gateway.Ask(request("slow", "left"), timeout=5)))

    assert [(name, "CANCELLED", True) for name in SLOW] == jurors_told(manifest)
    assert (2 * 3, True) == (manifest.model_calls, manifest.cost_usd > 0)  # each may retry once
    assert (code, reason) == (manifest.error.code, manifest.error.reason)


def test_a_jury_that_dies_while_it_is_followed_ends_the_stream_with_an_error(mesh, gateway, server):
    before = server.calls
    asked = ensemble_pb2.AskStreamRequest(ask=request("slow", "followed"))
    call = gateway.AskStream(asked, timeout=TIMEOUT_S)
    wait_until(lambda: server.calls == before + 3, within_s=TIMEOUT_S)
    with killed(mesh, "jury_svc"):
        began = time.monotonic()
        *_, last = call
        took_s = time.monotonic() - began
    manifest = manifest_of(gateway, "followed")

    assert ("STAGE_LOST", "jury") == (last.error.reason, last.error.metadata["stage"])
    assert took_s < 1
    assert [(name, "FAILED", True) for name in SLOW] == jurors_told(manifest)
    assert (2 * 3, True) == (manifest.model_calls, manifest.cost_usd > 0)  # each may retry once
