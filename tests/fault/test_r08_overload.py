"""R8: five times more than there is room for costs those who had no room, and nobody else."""

import time

import psutil
import pytest

from tests.fault.bursts import Burst, median, quantile
from tests.fault.load import echo
from tests.fault.replicas import cluster
from tests.scripted import upstream_thread

PLACES = 16
LATENCY_S = 2.0
CAPACITY = PLACES / LATENCY_S
GENERATORS = 2
LONG_S, SHORT_S = 20.0, 8.0
RECOVERED_S = 5.0
CONFIG = """\
version: 1
models:
  m: {{backend: openai, model: m, family: f, base_url: "{url}", timeout_s: 20, max_concurrent: 16}}
ensembles:
  default: {{pattern: jury, jurors: [{{model: m}}]}}
embeddings: {{backend: none}}
"""


@pytest.fixture(scope="module")
def server():
    with upstream_thread({"m": echo(delay_s=LATENCY_S)}) as server:
        yield server


@pytest.fixture(scope="module")
def mesh(tmp_path_factory, server):
    folder = tmp_path_factory.mktemp("overload")
    with cluster(folder, CONFIG.format(url=server.url)) as mesh:
        mesh.start()
        yield mesh


def burst(mesh, rate, seconds, caller):
    address = mesh.one("gateway").address
    return Burst(address, rate=rate, seconds=seconds, ensemble="default", caller=caller)


def cpu_s(mesh):
    """Processor time that the mesh has used."""
    used = [psutil.Process(each.process.pid).cpu_times() for each in mesh.all()]
    return sum(each.user + each.system for each in used)


def overloaded(mesh, seconds):
    """Everything that became of five times the capacity, and the share of the CPUs it took."""
    used_s, began = cpu_s(mesh), time.monotonic()
    rate = 5 * CAPACITY / GENERATORS
    bursts = [burst(mesh, rate, seconds, f"g{nth}") for nth in range(GENERATORS)]
    asked = [each for one in bursts for each in one.ended()]
    busy = (cpu_s(mesh) - used_s) / (time.monotonic() - began) / psutil.cpu_count()
    return asked, busy


def goodput(asked, seconds):
    """Answers a second while the load lasted and the first were back."""
    began = min(each.at_s for each in asked) + 2 * LATENCY_S
    until = min(each.at_s for each in asked) + seconds
    return sum(each.right and began <= each.ended_s < until for each in asked) / (until - began)


def test_overload_costs_no_goodput_and_is_refused_at_once(mesh, server, row):
    seconds = LONG_S if row.tight else SHORT_S
    calls = server.calls
    asked, busy = overloaded(mesh, seconds)
    asked_models = server.calls - calls
    time.sleep(RECOVERED_S - 2 * LATENCY_S)
    after = burst(mesh, CAPACITY / 2, 4.0, "after").ended()

    refused = [each for each in asked if each.status != "OK"]
    assert {("RESOURCE_EXHAUSTED", "OVERLOADED", True)} == {
        (each.status, each.reason, each.retry) for each in refused
    }
    assert asked_models == len(asked) - len(refused)
    assert {("OK", True)} == {(each.status, each.right) for each in after}
    row.at_least("R8", "goodput over capacity", goodput(asked, seconds) / CAPACITY, 0.9)
    row.at_most("R8", "share of the CPUs", busy, 0.4)
    took_s = [each.took_s for each in refused]
    row.at_most("R8", "refusal, median", median(took_s), 0.02, unit="s")
    row.at_most("R8", "refusal, 95th percentile", quantile(took_s, 0.95), 0.02, unit="s")
    slowest_s = quantile([each.took_s for each in after], 1.0)
    row.at_most("R8", "slowest answer after the load", slowest_s, 1.2 * LATENCY_S, unit="s")
