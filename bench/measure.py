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

    @property
    def cpu_ms_per_request(self) -> float:
        return 1000 * self.cpu_s / len(self.latencies_s)

    def latency_ms(self, percent: float) -> float:
        return float(1000 * np.percentile(self.latencies_s, percent))


async def load(
    call: Callable[[], Awaitable[float]], *, requests: int, concurrency: int, pids: Sequence[int]
) -> Load:
    """Run `call` so many times and watch `pids` meanwhile.

    `call` returns the seconds of its own to subtract: what the slowest model took.
    """
    processes = [psutil.Process(pid) for pid in pids]
    before = _cpu_s(processes)
    latencies = await _latencies(call, requests=requests, concurrency=concurrency)
    rss = sum(p.memory_info().rss for p in processes)
    return Load(latencies, _cpu_s(processes) - before, rss)


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
