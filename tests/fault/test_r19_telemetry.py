"""R19: a collector that is silent or unreachable costs its spans, which are counted, and no time."""

import pathlib
import re
import socket
import statistics
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from services.runtime import metrics
from tests.collector import collecting
from tests.fault.five import config, request
from tests.fault.meters import metering
from tests.fault.stubs import deaf_port, stub
from tests.running import mesh_running

TIMEOUT_S = 10.0
QUEUE = 64
QUESTIONS = 30
END_S = 6.0
SERVICE = "gremium-gateway"


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
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BSP_MAX_QUEUE_SIZE": str(QUEUE),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": str(QUEUE // 2),
    } | meters.environment()


@contextmanager
def traced(folder, url, collector):
    """A mesh whose spans go to this collector: its gateway, its figures and its logs."""
    folder.mkdir()
    with (
        collector() as traces,
        metering(SERVICE) as meters,
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


@pytest.fixture(scope="module")
def whole(tmp_path_factory, provider):
    """A gateway whose collector is well."""
    folder = tmp_path_factory.mktemp("whole") / "mesh"
    with traced(folder, provider.url, healthy) as (gateway, _, _):
        yield gateway


def took_s(gateway):
    began = time.monotonic()
    gateway.Ask(request(), timeout=TIMEOUT_S)
    return time.monotonic() - began


@pytest.mark.parametrize("collector", [silent, unreachable])
def test_it_costs_no_latency_a_bounded_queue_and_what_it_drops_is_counted(
    row, tmp_path, provider, whole, collector
):
    with traced(tmp_path / "broken", provider.url, collector) as (broken, meters, folder):
        pairs = [(took_s(whole), took_s(broken)) for _ in range(QUESTIONS)]
        dropped = meters.until(metrics.SPANS_DROPPED, 1)
        queued = meters.until(metrics.SPANS_QUEUED, 1)
        began = time.monotonic()
    ended_s = time.monotonic() - began

    usual_s, now_s = (statistics.median(side) for side in zip(*pairs, strict=True))
    row.at_most("R19", "latency more by", now_s - usual_s, 0.003, unit="s", undisturbed=usual_s)
    row.at_most("R19", "most spans queued beyond the bound", queued - QUEUE, 0)
    assert 0 < dropped
    assert re.search(r"\d+ spans were dropped \(queue_full\)", logs(folder))
    row.at_most("R19", "end of a mesh that cannot send", ended_s, END_S, ideal=END_S / 2, unit="s")


def logs(folder: pathlib.Path) -> str:
    found = (folder / ".gremium" / "logs").glob("*gateway*")
    return "\n".join(path.read_text() for path in found)
