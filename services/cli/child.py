"""One process of the mesh: starts it, keeps its log, stops it."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LEASH = Path(__file__).with_name("leash.py")
TAIL_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Process:
    """What to run, and how to tell that it serves."""

    name: str
    """A service, or for an engine the roster name of its model."""
    kind: Literal["engine", "stage", "gateway"]
    command: tuple[str, ...]
    env: Mapping[str, str]
    """Its whole environment."""
    address: str
    """`host:port` on which it listens."""
    health: str
    """Full name of the gRPC service whose health counts; empty: an engine, asked over HTTP."""
    stop_limit_s: float
    """Seconds between the request to stop and being killed."""
    metrics: str = ""
    """`host:port` at which it gives its figures; empty: nowhere."""

    @property
    def label(self) -> str:
        """Unique even where a model is named like a service."""
        return f"engine-{self.name}" if self.kind == "engine" else self.name


class Child:
    """A process that runs, or ran."""

    def __init__(self, process: Process, logs: Path) -> None:
        self.process = process
        self.log = logs / f"{process.label}.log"
        self._running: asyncio.subprocess.Process | None = None
        self._log_start = 0

    async def start(self) -> None:
        """Start it; its output is appended to its log."""
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._running = await asyncio.create_subprocess_exec(
                sys.executable,
                "-ES",
                str(LEASH),
                str(os.getpid()),
                *self.process.command,
                env=self.process.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the supervisor's to pass on, in order
            )

    @property
    def pid(self) -> int:
        """Process id of the last start; 0 before."""
        return self._running.pid if self._running else 0

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs or before it started."""
        return self._running.returncode if self._running else None

    async def ended(self) -> int:
        """Wait for its end; returns its exit code, negative for a signal."""
        return await self._running.wait() if self._running else 0

    async def stop(self) -> None:
        """Ask it to stop; kill it when it takes longer than its limit."""
        if self._running is None or self.exit_code is not None:
            return
        self._running.terminate()
        try:
            async with asyncio.timeout(self.process.stop_limit_s):
                await self._running.wait()
        except TimeoutError:
            self.kill()
            await self._running.wait()

    def kill(self) -> None:
        if self._running is not None and self.exit_code is None:
            self._running.kill()

    def tail(self, *, lines: int = 20) -> str:
        """The last lines that it wrote since its last start."""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - TAIL_BYTES))
            text = log.read().decode(errors="replace")
        return "\n".join(text.rstrip().splitlines()[-lines:])
