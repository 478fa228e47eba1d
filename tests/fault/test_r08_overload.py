"""R8: five times more than there is room for costs those who had no room, and nobody else."""

import pathlib
import statistics
import time
from dataclasses import dataclass

import psutil
import pytest

from bench.overload_chart import draw
from tests.fault.bursts import Asked, quantile

pytestmark = pytest.mark.measures

GENERATORS = 2
RECOVERED_S = 5.0
START_S = 1.0
"""Until a burst has begun, about."""
MOST_AHEAD = 3
"""Latencies that one takes at most: of 2.5 requests taken per place one runs and 1.5 wait, which is up
to two whole turns where answers come in step, and its own comes after them."""
OUT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "out" / "overload.png"
PNG = b"\x89PNG"


@dataclass(frozen=True)
class Run:
    """What became of everything that was asked before, under and after the load."""

    before: list[Asked]
    under: list[Asked]
    after: list[Asked]
    asked_models: int
    """Calls of models that the load caused."""
    busy: float
    """Share of the CPUs that the mesh took under it."""

    @property
    def began_s(self) -> float:
        return min(each.at_s for each in self.under)

    @property
    def refused(self) -> list[Asked]:
        return [each for each in self.under if each.status != "OK"]

    @property
    def answered(self) -> list[Asked]:
        return [each for each in self.under if each.status == "OK"]


def cpu_s(mesh):
    """Processor time that the mesh has used."""
    used = [psutil.Process(each.process.pid).cpu_times() for each in mesh.all()]
    return sum(each.user + each.system for each in used)


def steady(crowded, caller):
    """Half of the capacity for as long as an answer takes."""
    size = crowded.narrow
    return crowded.burst("narrow", caller, rate=size.per_s / 2, seconds=size.latency_s)


def overloaded(crowded):
    """Ask five times the capacity, and half of it once the load has been over for a while."""
    size, server = crowded.narrow, crowded.server
    before = steady(crowded, "before").ended()
    calls, used_s, began = server.calls, cpu_s(crowded.mesh), time.monotonic()
    rate = 5 * size.per_s / GENERATORS
    bursts = [
        crowded.burst("narrow", f"g{nth}", rate=rate, seconds=size.load_s)
        for nth in range(GENERATORS)
    ]
    time.sleep(START_S + size.load_s)
    busy = (cpu_s(crowded.mesh) - used_s) / (time.monotonic() - began) / psutil.cpu_count()
    time.sleep(RECOVERED_S - START_S)
    asked_by_now = server.calls - calls
    later = steady(crowded, "after")
    under = [each for one in bursts for each in one.ended()]
    return Run(before, under, later.ended(), asked_by_now, busy)


def goodput(run, size):
    """Answers a second while the load lasted and the first were back."""
    began, until = run.began_s + 2 * size.latency_s, run.began_s + size.load_s
    return sum(each.right and began <= each.ended_s < until for each in run.under) / (until - began)


def slowest_s(asked):
    """The longest that an answer took; all must be answers."""
    assert {("OK", True)} == {(each.status, each.right) for each in asked}
    return max(each.took_s for each in asked)


def test_overload_costs_no_goodput_and_is_refused_at_once(crowded, row, tmp_path):
    size, run = crowded.narrow, overloaded(crowded)
    png = OUT if row.tight else tmp_path / "overload.png"
    draw([*run.before, *run.under, *run.after], png, capacity=size.per_s)

    assert {("RESOURCE_EXHAUSTED", "OVERLOADED", True)} == {
        (each.status, each.reason, each.retry) for each in run.refused
    }
    assert run.asked_models == len(run.answered)
    assert png.read_bytes().startswith(PNG)
    row.at_least("R8", "goodput over capacity", goodput(run, size) / size.per_s, 0.9)
    row.at_most("R8", "share of the CPUs", run.busy, 0.4, share=True)
    took_s = [each.took_s for each in run.refused]
    row.at_most("R8", "refusal, median", statistics.median(took_s), 0.02, unit="s")
    row.at_most("R8", "refusal, 95th percentile", quantile(took_s, 0.95), 0.02, unit="s")
    longest_s = MOST_AHEAD * size.latency_s
    row.at_most(
        "R8",
        "slowest answer under the load",
        slowest_s(run.answered),
        1.05 * longest_s,
        ideal=longest_s,
        unit="s",
        undisturbed=slowest_s(run.before),
    )
    row.at_most(
        "R8",
        "slowest answer 5 s after the load",
        slowest_s(run.after),
        1.2 * size.latency_s,
        ideal=size.latency_s,
        unit="s",
        undisturbed=slowest_s(run.before),
    )
