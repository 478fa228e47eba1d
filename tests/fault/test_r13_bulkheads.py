"""R13: a provider that hangs and a caller who floods are no trouble for the others."""

import time

import pytest

from tests.fault.bursts import Burst, quantile
from tests.fault.load import echo
from tests.fault.replicas import cluster
from tests.scripted import upstream_thread
from tests.upstream import Reply

LATENCY_S = 1.0
PLACES = 16
QUIET_PER_S = 4.0
SHORT_S, LONG_S = 3.0, 15.0
MARGIN = 0.2
"""How much longer the slowest of the others may take, as a share of the undisturbed run."""
CONFIG = """\
version: 1
models:
  m: {{backend: openai, model: m, family: f, base_url: "{url}", timeout_s: 20, max_concurrent: 16}}
  hung: {{backend: openai, model: hung, family: h, base_url: "{url}", timeout_s: 20, max_concurrent: 16}}
ensembles:
  default: {{pattern: jury, jurors: [{{model: m}}]}}
  hung: {{pattern: jury, jurors: [{{model: hung}}]}}
embeddings: {{backend: none}}
"""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    with upstream_thread({"m": echo(delay_s=LATENCY_S), "hung": Reply(hang=True)}) as server:
        folder = tmp_path_factory.mktemp("bulkheads")
        with cluster(folder, CONFIG.format(url=server.url)) as mesh:
            mesh.start()
            yield mesh


def burst(mesh, caller, *, rate, seconds, ensemble="default", timeout=20.0):
    return Burst(
        mesh.one("gateway").address,
        rate=rate,
        seconds=seconds,
        ensemble=ensemble,
        caller=caller,
        timeout=timeout,
    )


def p99_s(asked):
    assert {("OK", True)} == {(each.status, each.right) for each in asked}
    return quantile([each.took_s for each in asked], 0.99)


def compared(mesh, row, what, disturb):
    """Hold what a steady caller gets beside a disturbance against what it got before."""
    seconds = LONG_S if row.tight else SHORT_S
    steady = burst(mesh, "quiet", rate=QUIET_PER_S, seconds=2 * seconds)
    time.sleep(seconds)
    began_s = time.time()
    disturbance = disturb(seconds)
    asked = steady.ended()
    before = [each for each in asked if each.at_s < began_s]
    before_s, early, late = p99_s(before), before[::2], before[1::2]
    beside_s = p99_s([each for each in asked if each.at_s >= began_s])
    row.at_most(
        "R13",
        f"p99 of the others over that before, {what}",
        beside_s / before_s,
        1.0 + MARGIN,
        ideal=1.0,
        undisturbed=p99_s(late) / p99_s(early),
    )
    return disturbance.ended()


def test_a_hung_provider_slows_no_other_ensemble(mesh, row):
    def disturb(seconds):
        return burst(mesh, "same", rate=30, seconds=seconds, ensemble="hung", timeout=seconds)

    assert "OK" not in {each.status for each in compared(mesh, row, "hung provider", disturb)}


def test_a_noisy_caller_slows_no_other_caller(mesh, row):
    def disturb(seconds):
        return burst(mesh, "noisy", rate=5 * PLACES / LATENCY_S, seconds=seconds)

    asked = compared(mesh, row, "noisy caller", disturb)
    assert {"OK", "RESOURCE_EXHAUSTED"} == {each.status for each in asked}
