"""R19: a collector that is silent or unreachable costs its spans, which are counted, and no time."""

import itertools
import pathlib
import re
import socket
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc

from gremium.v1 import ensemble_pb2_grpc
from services.runtime import metrics
from tests.collector import collecting
from tests.fault.five import config, request
from tests.fault.stubs import deaf_port, stub
from tests.running import mesh_running

TIMEOUT_S = 10.0
QUEUE = 64
QUESTIONS = 40
SERVICE = "gremium-gateway"


class Meters(metrics_service_pb2_grpc.MetricsServiceServicer):
    """The newest figures of the gateway, and the most that each ever was."""

    def __init__(self):
        self.most = {}
        self.address = ""

    def Export(self, request, context):  # noqa: N802 - a gRPC method
        for resource in request.resource_metrics:
            names = {a.value.string_value for a in resource.resource.attributes}
            if SERVICE in names:
                self._take(resource)
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def _take(self, resource):
        for metric in itertools.chain.from_iterable(s.metrics for s in resource.scope_metrics):
            total = sum(p.as_int or p.as_double for p in metric.gauge.data_points)
            self.most[metric.name] = max(total, self.most.get(metric.name, 0))

    def until(self, name, least, *, within_s=15.0):
        end = time.monotonic() + within_s
        while self.most.get(name, -1) < least:
            assert time.monotonic() < end, f"{name} is {self.most.get(name)} after {within_s} s"
            time.sleep(0.05)
        return self.most[name]


@contextmanager
def metering():
    with ThreadPoolExecutor(2) as pool:
        server, meters = grpc.server(pool), Meters()
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(meters, server)
        meters.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield meters
        finally:
            server.stop(1).wait(5)


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


@contextmanager
def healthy():
    with collecting() as collector:
        yield collector.address


def environment(traces, meters):
    """A queue so small that a short run fills it."""
    return {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://{traces}",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://{meters.address}",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BSP_MAX_QUEUE_SIZE": str(QUEUE),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": str(QUEUE // 2),
    }


@contextmanager
def traced(folder, url, collector):
    """A mesh whose spans go to this collector: its gateway, its figures and its logs."""
    folder.mkdir()
    with (
        collector() as traces,
        metering() as meters,
        mesh_running(folder, config([], url), env=environment(traces, meters)) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        gateway = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        for _ in range(5):
            gateway.Ask(request(), timeout=TIMEOUT_S)
        yield gateway, meters, folder


@pytest.fixture(scope="module")
def provider():
    with stub() as provider:
        yield provider


def took_s(gateway):
    began = time.monotonic()
    gateway.Ask(request(), timeout=TIMEOUT_S)
    return time.monotonic() - began


@pytest.mark.parametrize("collector", [silent, unreachable])
def test_it_costs_no_latency_a_bounded_queue_and_what_it_drops_is_counted(
    row, tmp_path, provider, collector
):
    with (
        traced(tmp_path / "whole", provider.url, healthy) as (whole, _, _),
        traced(tmp_path / "broken", provider.url, collector) as (broken, meters, folder),
    ):
        pairs = [(took_s(whole), took_s(broken)) for _ in range(QUESTIONS)]
        dropped = meters.until(metrics.SPANS_DROPPED, 1)
        queued = meters.until(metrics.SPANS_QUEUED, 1)

    usual_s, now_s = (statistics.median(side) for side in zip(*pairs, strict=True))
    row.at_most("R19", "latency more by", now_s - usual_s, 0.003, unit="s", undisturbed=usual_s)
    row.at_most("R19", "most spans queued beyond the bound", queued - QUEUE, 0)
    assert 0 < dropped
    assert re.search(r"\d+ spans were dropped \(queue_full\)", logs(folder))


def logs(folder: pathlib.Path) -> str:
    found = (folder / ".gremium" / "logs").glob("*gateway*")
    return "\n".join(path.read_text() for path in found)
