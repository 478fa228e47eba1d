"""R14: a service that is asked to end loses nothing that it took, and is missed by nobody."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc
from tests.fault.load import asking, echo, load
from tests.fault.replicas import MODULES, cluster
from tests.scripted import CONFIG, SCRIPT, upstream_thread
from tests.upstream import Reply

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
RPCS = {
    "router": "RouterService/Route",
    "jury": "JuryService/Deliberate",
    "judge": "JudgeService/Verify",
    "aggregator": "AggregatorService/Aggregate",
    "gateway": "EnsembleService/Ask",
}
TAKEN = ("gremium-taken", "1")
TIMEOUT_S = 10.0
CALLERS = 6
AT_ONCE = 8
ROUNDS = 20
"""Of each service in the five runs of `make fault`."""
SHORT_ROUNDS = 1
SETTLE_S = 0.5
DRAIN_S = 2.0
STREAMS = 4
STREAM_S = 5.0
TALK_S = 1.0
TALKING = Reply(text="one two three four five", token_delay_s=TALK_S / 5)
ENDLESS = Reply(text="on and on", token_delay_s=60.0)
ADDED = """\
  talking: {{backend: openai, model: talking, family: nu, base_url: "{url}", timeout_s: 30}}
  endless: {{backend: openai, model: hang, family: xi, base_url: "{url}", timeout_s: 30, breaker: {{window: 1000, min_calls: 1000}}}}
ensembles:
  talking: {{pattern: jury, jurors: [{{model: talking}}]}}
  endless: {{pattern: jury, jurors: [{{model: endless}}]}}
"""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    slow_judge = replace(SCRIPT["verdict-pass"], delay_s=0.2)
    script = {"four": echo(delay_s=0.3), "verdict-pass": slow_judge, "talking": TALKING}
    drain = {f"GREMIUM_{name}_DRAIN_S": str(DRAIN_S) for name in ("GATEWAY", "JURY")}
    with upstream_thread(script) as server:
        config = CONFIG.replace("ensembles:\n", ADDED, 1).format(url=server.url)
        folder, twice = tmp_path_factory.mktemp("rolling"), dict.fromkeys(MODULES, 2)
        with cluster(folder, config, twice, **drain) as mesh:
            mesh.start()
            yield mesh


def calls_of(channel, service):
    """Empty requests to one replica, which it refuses for what they say if it takes them at all."""
    rpc = channel.unary_unary(f"/gremium.v1.{RPCS[service]}")
    return [rpc.future(b"", timeout=TIMEOUT_S) for _ in range(AT_ONCE)]


def ended_in_order(replica):
    """End a replica; its health before and after, and what became of calls around that moment."""
    with grpc.insecure_channel(replica.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        states = [next(watch).status]
        underway = calls_of(channel, replica.service)
        replica.send(signal.SIGTERM)
        states.append(next(watch).status)
        late = calls_of(channel, replica.service)
        told = [(call.code().name, TAKEN in call.initial_metadata()) for call in underway + late]
        assert 0 == replica.ended()
    return states, told


def rolled(mesh, service, rounds):
    """End one replica after the other under load, and start each again."""
    ends = []
    with load(mesh.address, callers=CALLERS, ensemble="default", timeout_s=TIMEOUT_S) as seen:
        for nth in range(rounds):
            replica = mesh.replicas[service][nth % 2]
            time.sleep(SETTLE_S)
            ends.append(ended_in_order(replica))
            replica.start()
            mesh.until_serving(service)
    return seen.got, ends


@pytest.mark.parametrize("service", MODULES)
def test_a_rolling_restart_under_load_loses_nothing(mesh, row, service):
    rounds = ROUNDS // 5 if row.tight else SHORT_ROUNDS
    got, ends = rolled(mesh, service, rounds)

    row.none("R14", "requests lost", [each.error for each in got if each.error])
    assert all(each.right for each in got)
    row.none("R14", "degraded answers", [each for each in got if not each.whole])
    assert [[SERVING, NOT_SERVING]] * rounds == [states for states, _ in ends]
    late = [each for _, told in ends for each in told if each != ("INVALID_ARGUMENT", True)]
    row.none("R14", "calls refused between health off and the end", late)


def followed(call):
    """What a stream came to: its answer and whether it is degraded, or why there is none."""
    try:
        *_, last = call
    except grpc.RpcError as err:
        return err.code().name
    return last.error.reason or (last.final.answer.text, last.final.degraded)


CUT = {"gateway": {"UNAVAILABLE"}, "jury": {"STAGE_LOST", "QUORUM_NOT_REACHED"}}
"""How streams may end that last too long; half of a gateway's are with the jury that goes on."""


@pytest.mark.parametrize("service", CUT)
def test_streams_underway_are_told_to_their_end_or_why_not(mesh, row, service):
    """Half of them last longer than a service that is to end may go on."""
    replica = mesh.replicas[service][0]
    address = replica.address if service == "gateway" else mesh.one("gateway").address
    with (
        grpc.insecure_channel(address) as channel,
        ThreadPoolExecutor(2 * STREAMS) as readers,
    ):
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        calls = [streamed(stub, name) for name in ("talking", "endless") for _ in range(STREAMS)]
        for call in calls[:STREAMS]:
            next(call)
        replica.send(signal.SIGTERM)
        told = [*readers.map(followed, calls)]
    assert 0 == replica.ended()
    replica.start()
    mesh.until_serving(service)

    assert [(TALKING.text, False)] * STREAMS == told[:STREAMS]
    assert set(told[STREAMS:]) <= CUT[service]


def streamed(stub, ensemble):
    asked = ensemble_pb2.AskStreamRequest(ask=asking("so", ensemble))
    return stub.AskStream(asked, timeout=STREAM_S)
