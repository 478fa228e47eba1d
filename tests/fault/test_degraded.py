"""What stands in for a stage that was killed, and how a gateway tells of it."""

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2
from tests.fault.five import request
from tests.fault.replicas import wait_until
from tests.fault.supervised import BACK_S, answers, killed
from tests.running import models_told

TIMEOUT_S = 6.0


@pytest.fixture(scope="module")
def mesh(supervised):
    return supervised.mesh


@pytest.fixture
def gateway(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        wait_until(lambda: answers(stub), within_s=BACK_S)
        yield stub


def asked(gateway, ensemble="default"):
    return gateway.Ask(request(ensemble), timeout=TIMEOUT_S)


def test_the_configured_default_tier_stands_in_for_the_router(mesh, gateway):
    with killed(mesh, "router_svc"):
        reply = asked(gateway, "routed")

    assert ("b", True) == (reply.answer.juror, reply.degraded)


def test_the_heaviest_juror_stands_in_for_the_aggregator(mesh, gateway):
    with killed(mesh, "aggregator_svc"):
        reply = asked(gateway, "closed")

    assert ("c", "best_juror") == (reply.answer.juror, reply.manifest.tallies[0].method)


def test_a_judge_that_fails_closed_gives_no_text(mesh, gateway):
    with killed(mesh, "judge_svc"):
        reply = asked(gateway, "closed")

    assert (manifest_pb2.OUTCOME_REJECTED, False, True) == (
        reply.outcome,
        reply.HasField("answer"),
        reply.degraded,
    )


def test_failures_are_counted_and_shown(mesh, gateway):
    with killed(mesh, "aggregator_svc"):
        asked(gateway)
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
