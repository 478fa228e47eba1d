"""CPU, memory and latency of a load on a set of processes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import psutil


@dataclass(frozen=True)
class Load:
    """What a load cost."""

    latencies_s: Sequence[float]
    cpu_s: float
    """Processor time of all watched processes together."""
    rss_bytes: int
    """Their resident memory at the end."""
    took_s: float
    """Time from the first request to the end of the last."""

    @property
    def cpu_ms_per_request(self) -> float:
        return 1000 * self.cpu_s / len(self.latencies_s)

    @property
    def per_s(self) -> float:
        return len(self.latencies_s) / self.took_s

    def latency_ms(self, percent: float) -> float:
        return float(1000 * np.percentile(self.latencies_s, percent))


@dataclass(frozen=True)
class Target:
    """Something to load, and whose CPU counts."""

    call: Callable[[], Awaitable[float]]
    """As `load` wants it."""
    pids: Sequence[int]


async def in_turns(
    targets: Sequence[Target], *, turns: int, requests: int, concurrency: int
) -> list[list[Load]]:
    """Load one target after the other, again and again; the loads by target.

    Who begins changes from turn to turn.
    """
    costs: list[list[Load]] = [[] for _ in targets]
    for turn in range(turns):
        order = range(len(targets)) if turn % 2 == 0 else reversed(range(len(targets)))
        for i in order:
            call, pids = targets[i].call, targets[i].pids
            costs[i].append(await load(call, requests=requests, concurrency=concurrency, pids=pids))
    return costs


def merged(costs: Sequence[Load]) -> Load:
    """Several loads of the same processes as one."""
    return Load(
        [each for cost in costs for each in cost.latencies_s],
        sum(cost.cpu_s for cost in costs),
        costs[-1].rss_bytes,
        sum(cost.took_s for cost in costs),
    )


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """How much one takes of what the other takes, of pairs of turns, and its standard error.

    Notes
    -----
    Ratio of sums; its error by the delta method over the pairs.

    Examples
    --------
    >>> ratio([1.0, 3.0], [2.0, 6.0])
    (0.5, 0.0)
    """
    one, other = np.array(ours), np.array(theirs)
    found = one.sum() / other.sum()
    left = one - found * other
    error = np.sqrt((left**2).sum() / max(1, len(left) - 1) * len(left)) / other.sum()
    return float(found), float(error)


async def load(
    call: Callable[[], Awaitable[float]], *, requests: int, concurrency: int, pids: Sequence[int]
) -> Load:
    """Run `call` so many times and watch `pids` meanwhile.

    `call` returns the seconds of its own to subtract: what the slowest model took.
    """
    processes = [psutil.Process(pid) for pid in pids]
    before, began_s = _cpu_s(processes), time.perf_counter()
    latencies = await _latencies(call, requests=requests, concurrency=concurrency)
    took_s, cpu_s = time.perf_counter() - began_s, _cpu_s(processes) - before
    return Load(latencies, cpu_s, sum(p.memory_info().rss for p in processes), took_s)


async def _latencies(
    call: Callable[[], Awaitable[float]], *, requests: int, concurrency: int
) -> list[float]:
    left = iter(range(requests))
    latencies: list[float] = []

    async def client() -> None:
        for _ in left:
            start = time.perf_counter()
            spent_s = await call()
            latencies.append(time.perf_counter() - start - spent_s)

    async with asyncio.TaskGroup() as clients:
        for _ in range(concurrency):
            clients.create_task(client())
    return latencies


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(p.cpu_times()[:2]) for p in processes)
