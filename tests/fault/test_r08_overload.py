"""R8: five times more than there is room for costs those who had no room, and nobody else."""

import pathlib
import statistics
import time
from dataclasses import dataclass

import psutil
import pytest

from bench.overload_chart import draw
from tests.fault.bursts import Burst, quantile
from tests.fault.load import echo
from tests.fault.replicas import cluster
from tests.scripted import upstream_thread

GENERATORS = 2
RECOVERED_S = 5.0
OUT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "out" / "overload.png"
PNG = b"\x89PNG"


@dataclass(frozen=True)
class Size:
    """Of a mesh and its overload."""

    places: int
    latency_s: float
    load_s: float

    @property
    def per_s(self) -> float:
        """Capacity, in requests."""
        return self.places / self.latency_s


LONG, SHORT = Size(16, 2.0, 20.0), Size(8, 1.0, 5.0)
CONFIG = """\
version: 1
models:
  m: {{backend: openai, model: m, family: f, base_url: "{url}", timeout_s: 20, max_concurrent: {places}}}
ensembles:
  default: {{pattern: jury, jurors: [{{model: m}}]}}
embeddings: {{backend: none}}
"""


@pytest.fixture(scope="module")
def size(request):
    return LONG if request.config.getoption("--tight", default=False) else SHORT


@pytest.fixture(scope="module")
def server(size):
    with upstream_thread({"m": echo(delay_s=size.latency_s)}) as server:
        yield server


@pytest.fixture(scope="module")
def mesh(tmp_path_factory, server, size):
    folder = tmp_path_factory.mktemp("overload")
    with cluster(folder, CONFIG.format(url=server.url, places=size.places)) as mesh:
        mesh.start()
        yield mesh


def burst(mesh, rate, seconds, caller):
    address = mesh.one("gateway").address
    return Burst(address, rate=rate, seconds=seconds, ensemble="default", caller=caller)


def cpu_s(mesh):
    """Processor time that the mesh has used."""
    used = [psutil.Process(each.process.pid).cpu_times() for each in mesh.all()]
    return sum(each.user + each.system for each in used)


def overloaded(mesh, size):
    """Everything that became of five times the capacity, and the share of the CPUs it took."""
    used_s, began = cpu_s(mesh), time.monotonic()
    rate = 5 * size.per_s / GENERATORS
    bursts = [burst(mesh, rate, size.load_s, f"g{nth}") for nth in range(GENERATORS)]
    asked = [each for one in bursts for each in one.ended()]
    busy = (cpu_s(mesh) - used_s) / (time.monotonic() - began) / psutil.cpu_count()
    return asked, busy


def goodput(asked, size):
    """Answers a second while the load lasted and the first were back."""
    began = min(each.at_s for each in asked) + 2 * size.latency_s
    until = min(each.at_s for each in asked) + size.load_s
    return sum(each.right and began <= each.ended_s < until for each in asked) / (until - began)


def slowest_s(asked):
    """The longest that an answer took; all must be answers."""
    assert {("OK", True)} == {(each.status, each.right) for each in asked}
    return max(each.took_s for each in asked)


def test_overload_costs_no_goodput_and_is_refused_at_once(mesh, server, size, row, tmp_path):
    before = burst(mesh, size.per_s / 2, size.latency_s / 2, "before").ended()
    calls = server.calls
    asked, busy = overloaded(mesh, size)
    asked_models = server.calls - calls
    time.sleep(max(0.0, RECOVERED_S - 4 * size.latency_s))
    after = burst(mesh, size.per_s / 2, 2 * size.latency_s, "after").ended()
    png = OUT if row.tight else tmp_path / "overload.png"
    draw([*before, *asked, *after], png, capacity=size.per_s)

    refused = [each for each in asked if each.status != "OK"]
    assert {("RESOURCE_EXHAUSTED", "OVERLOADED", True)} == {
        (each.status, each.reason, each.retry) for each in refused
    }
    assert asked_models == len(asked) - len(refused)
    assert png.read_bytes().startswith(PNG)
    row.at_least("R8", "goodput over capacity", goodput(asked, size) / size.per_s, 0.9)
    row.at_most("R8", "share of the CPUs", busy, 0.4, share=True)
    took_s = [each.took_s for each in refused]
    row.at_most("R8", "refusal, median", statistics.median(took_s), 0.02, unit="s")
    row.at_most("R8", "refusal, 95th percentile", quantile(took_s, 0.95), 0.02, unit="s")
    row.at_most(
        "R8",
        "slowest answer after the load",
        slowest_s(after),
        1.2 * size.latency_s,
        ideal=size.latency_s,
        unit="s",
        undisturbed=slowest_s(before),
    )
