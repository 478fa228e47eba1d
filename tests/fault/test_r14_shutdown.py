"""R14: a service that is asked to end loses nothing that it took, and is missed by nobody."""

import signal
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gremium.v1 import ensemble_pb2_grpc
from tests.fault.load import asked, echo, load
from tests.fault.replicas import MODULES, cluster
from tests.scripted import CONFIG, upstream_thread

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
TIMEOUT_S = 10.0
CALLERS = 6
ROUNDS = 20
"""Of each service in the five runs of `make fault`."""
SHORT_ROUNDS = 1
SETTLE_S = 0.5


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    twice = dict.fromkeys(MODULES, 2)
    with upstream_thread({"four": echo(delay_s=0.3)}) as server:
        config = CONFIG.format(url=server.url)
        with cluster(tmp_path_factory.mktemp("rolling"), config, twice) as mesh:
            mesh.start()
            yield mesh


def rolled(mesh, service, rounds):
    """End one replica after the other under load, and start each again."""
    with load(mesh.address, callers=CALLERS, ensemble="default", timeout_s=TIMEOUT_S) as seen:
        for nth in range(rounds):
            replica = mesh.replicas[service][nth % 2]
            time.sleep(SETTLE_S)
            replica.send(signal.SIGTERM)
            assert 0 == replica.ended()
            replica.start()
            mesh.until_serving(service)
    return seen.got


@pytest.mark.parametrize("service", MODULES)
def test_a_rolling_restart_under_load_loses_nothing(mesh, row, service):
    rounds = ROUNDS // 5 if row.tight else SHORT_ROUNDS
    got = rolled(mesh, service, rounds)

    row.none("R14", f"requests lost, {service} ended", [each.error for each in got if each.error])
    assert all(each.right for each in got)
    degraded = sum(not each.whole for each in got) / len(got)
    row.at_most("R14", f"degraded answers, {service} ended", degraded, 0.0)


def test_a_gateway_says_so_first_and_still_takes_calls(mesh, row):
    replica, seen = mesh.replicas["gateway"][0], []
    with (
        grpc.insecure_channel(replica.address) as channel,
        load(replica.address, callers=2, ensemble="default") as load_seen,
    ):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        seen.append(next(watch).status)
        time.sleep(SETTLE_S)
        replica.send(signal.SIGTERM)
        seen.append(next(watch).status)
        told_s = time.monotonic()
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        got = asked(stub, "17", "default", TIMEOUT_S)
        code = replica.ended()
    ended_s = time.monotonic()
    replica.start()
    mesh.until_serving("gateway")

    assert [SERVING, NOT_SERVING] == seen
    assert (True, 0) == (got.right, code)
    assert not [each for each in load_seen.got if each.accepted and each.error]
    row.at_most("R14", "end of a gateway after its last call", ended_s - told_s, 2.0, unit="s")
