"""What each process of a mesh holds over time: memory, descriptors, tasks, threads."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

TELLING_S = 5.0
"""Longest wait for a process to tell its tasks."""
POLL_S = 0.02


@dataclass(frozen=True)
class Sample:
    """What one process held at one time."""

    at_s: float
    """Seconds since the load began."""
    cancelled: int
    """Calls of jurors that were cancelled until then."""
    service: str
    rss: int
    """Resident memory, bytes."""
    descriptors: int
    tasks: int
    threads: int


@dataclass
class Watched:
    """A process that logs a census at SIGUSR1."""

    service: str
    pid: int
    log: Path
    _read_bytes: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._process = psutil.Process(self.pid)
        self._read_bytes = self.log.stat().st_size

    async def sample(self, *, at_s: float, cancelled: int) -> Sample:
        """Ask it, and look at it from outside.

        Raises
        ------
        TimeoutError
            If it does not tell.
        """
        tasks = await self._tasks()
        with self._process.oneshot():
            return Sample(
                at_s,
                cancelled,
                self.service,
                self._process.memory_info().rss,
                self._process.num_fds(),
                tasks,
                self._process.num_threads(),
            )

    async def _tasks(self) -> int:
        os.kill(self.pid, signal.SIGUSR1)
        for _ in range(round(TELLING_S / POLL_S)):
            await asyncio.sleep(POLL_S)
            if (tasks := self._told()) is not None:
                return tasks
        raise TimeoutError(f"{self.service} did not tell its tasks within {TELLING_S} s")

    def _told(self) -> int | None:
        """Tasks by the census that its log has got since it was last read."""
        with self.log.open("rb") as log:
            log.seek(self._read_bytes)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        found = [line for line in whole.splitlines() if b'"census"' in line]
        return int(json.loads(found[-1])["tasks"]) if found else None


def by_service(samples: Sequence[Sample]) -> Mapping[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.service, []).append(sample)
    return found
