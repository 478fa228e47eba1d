"""R19: a collector that is silent or unreachable costs its spans, which are counted, and no time."""

import re
import signal
import socket
import statistics
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import grpc
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gremium.v1 import ensemble_pb2_grpc
from services.runtime import figures
from tests.collector import collecting
from tests.fault.five import config, request
from tests.fault.meters import INTERVAL_MS, Meters, metering
from tests.fault.replicas import Cluster, Replica, cluster, wait_until
from tests.fault.stubs import deaf_port, stub
from tests.running import free_port

pytestmark = pytest.mark.measures

TIMEOUT_S = 10.0
QUEUE = 64
QUESTIONS = 30
WARM = 5
END_S = 6.0
SERVICE = "gremium-gateway"
METRICS = "GREMIUM_GATEWAY_METRICS"
BROKEN = ("traces silent", "traces unreachable", "metrics silent")
"""What is wrong with the collector of each of three gateways; their stages have both kinds."""


@contextmanager
def silent():
    """A collector that accepts every connection, reads, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []

        def accept():
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for each in held:
                each.close()


@contextmanager
def unreachable():
    """A collector to which every packet is lost."""
    with deaf_port() as url:
        yield urlsplit(url).netloc


def environment(traces, meters):
    """Where spans and figures go; a queue of spans so small that a short run fills it."""
    return {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://{traces}",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://{meters}",
        "OTEL_METRIC_EXPORT_INTERVAL": str(INTERVAL_MS),
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BSP_MAX_QUEUE_SIZE": str(QUEUE),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": str(QUEUE // 2),
    }


@dataclass(frozen=True)
class Side:
    """A gateway, what it tells of itself, and how to ask it."""

    replica: Replica
    meters: Meters | None
    ask: ensemble_pb2_grpc.EnsembleServiceStub
    threads: list[int] = field(default_factory=list)

    def asked(self):
        """How long an answer took, in seconds."""
        began = time.monotonic()
        self.ask.Ask(request(), timeout=TIMEOUT_S)
        return time.monotonic() - began

    def count_threads(self):
        return psutil.Process(self.replica.process.pid).num_threads()


@dataclass(frozen=True)
class Meshes:
    """A mesh whose collectors are well, and one with three gateways whose collectors are not."""

    whole: Side
    broken: dict[str, Side]
    cluster: Cluster


@pytest.fixture(scope="module")
def provider():
    with stub() as provider:
        yield provider


@pytest.fixture(scope="module")
def meshes(tmp_path_factory, provider):
    with ExitStack() as opened:
        well, mute = opened.enter_context(collecting()).address, opened.enter_context(silent())
        gone = opened.enter_context(unreachable())
        meters = [opened.enter_context(metering(SERVICE)) for _ in range(3)]
        started = []
        for count in (1, len(BROKEN)):
            folder = tmp_path_factory.mktemp("telemetry")
            made = cluster(folder, config([], provider.url), {"gateway": count})
            started.append(opened.enter_context(made))
        whole, broken = started
        tell(whole.all(), [(well, meters[0].address)])
        tell(
            broken.replicas["gateway"],
            [(mute, meters[1].address), (gone, meters[2].address), (well, mute)],
        )
        stages = [each for each in broken.all() if each.service != "gateway"]
        tell(stages, [(mute, mute), (gone, gone)])
        for each in broken.replicas["gateway"]:
            each.env = {**each.env, METRICS: f"127.0.0.1:{free_port()}"}
        for each in started:
            each.start()
        gateways = [whole.one("gateway"), *broken.replicas["gateway"]]
        sides = [
            Side(replica, metered, opened.enter_context(asking(replica)))
            for replica, metered in zip(gateways, [*meters, None], strict=True)
        ]
        yield Meshes(sides[0], dict(zip(BROKEN, sides[1:], strict=True)), broken)


def tell(replicas, endpoints):
    """Give the replicas these collectors of spans and figures, one after the other."""
    for nth, each in enumerate(replicas):
        each.env = {**each.env, **environment(*endpoints[nth % len(endpoints)])}


@contextmanager
def asking(replica):
    with grpc.insecure_channel(replica.address) as channel:
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


@pytest.fixture(scope="module")
def meshes_asked(meshes):
    """The meshes after as many questions to each gateway, in turn."""
    sides = [meshes.whole, *meshes.broken.values()]
    for nth in range(WARM + QUESTIONS):
        for side in sides:
            side.asked()
            if nth == WARM:
                side.threads.append(side.count_threads())
    return meshes


@pytest.mark.parametrize("wrong", BROKEN)
def test_it_costs_no_latency(meshes_asked, row, wrong):
    whole, broken = meshes_asked.whole, meshes_asked.broken[wrong]
    took_s = [(whole.asked(), broken.asked()) for _ in range(QUESTIONS)]
    usual_s, without_s = map(statistics.median, zip(*took_s, strict=True))
    more_s = without_s - usual_s
    row.at_most("R19", f"latency more by, {wrong}", more_s, 0.003, unit="s", undisturbed=usual_s)


@pytest.mark.parametrize("wrong", ["traces silent", "traces unreachable"])
def test_its_queue_is_bounded_and_what_it_drops_is_counted(meshes_asked, row, wrong):
    side = meshes_asked.broken[wrong]
    dropped = side.meters.until(figures.SPANS_DROPPED.name, 1)
    queued = side.meters.until(figures.SPANS_QUEUED.name, 1)

    row.at_most("R19", "spans queued beyond the bound", queued - QUEUE, 0)
    assert 0 < dropped
    assert re.search(r"\d+ spans were dropped \(queue_full\)", side.replica.log.read_text())


def test_exports_of_figures_that_nobody_takes_are_counted(meshes_asked):
    replica = meshes_asked.broken["metrics silent"].replica
    lost = "gremium_telemetry_metric_exports_lost_total"

    wait_until(lambda: scraped(replica.env[METRICS]).get(lost, 0) > 0, within_s=TIMEOUT_S)
    assert re.search(r"\d+ exports of metrics were dropped", replica.log.read_text())


def scraped(address):
    """The figures that a Prometheus would read, summed up by name."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=TIMEOUT_S) as reply:
        families = text_string_to_metric_families(reply.read().decode())
        samples = [sample for family in families for sample in family.samples]
    return {each.name: each.value for each in samples}


def test_figures_that_nobody_takes_pile_up_nowhere(meshes_asked, row):
    side = meshes_asked.broken["metrics silent"]

    more = side.count_threads() - side.threads[0]
    row.at_most("R19", "more threads where nobody takes the figures", more, 0)


def test_a_mesh_that_cannot_send_ends_all_the_same(meshes_asked, row):
    cluster, replicas = meshes_asked.cluster, meshes_asked.cluster.all()
    for each in replicas:
        if not each.running:  # the turn before ended it
            each.start()
    for service in cluster.replicas:
        cluster.until_serving(service)
    began = time.monotonic()
    for each in replicas:
        each.send(signal.SIGTERM)

    assert {0} == {each.ended() for each in replicas}
    ended_s = time.monotonic() - began
    row.at_most("R19", "end of a mesh that cannot send", ended_s, END_S, ideal=END_S / 2, unit="s")
