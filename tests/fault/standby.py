"""Gateways started one after the other on the same address, without the second that imports take.

One process imports the gateway and does nothing else: it has no threads, connections or files. Each
gateway is a fork of it that runs the `main` of `python -m services.gateway`.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LOAD_LIMIT_S = 60.0
END_LIMIT_S = 40.0
SOURCE = """
import os, sys
from services.gateway.__main__ import main
from services.runtime.server import run

assert 1 == len(os.listdir("/proc/self/task")), "nothing may run where it is forked from"
print("loaded", flush=True)
for line in sys.stdin:
    if line == "start\\n":
        child = os.fork()
        if not child:
            break
        print(child, flush=True)
    else:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
os.dup2(os.open(os.devnull, os.O_RDWR), 0)
os.dup2(2, 1)
run(main(), service="gateway")
"""


class Gateways:
    """The gateway that runs, and what the next one is forked from."""

    def __init__(self, env: Mapping[str, str], log: Path, *, within: Sequence[str] = ()) -> None:
        """`within` is a command that runs all of them, such as one that mounts a file system."""
        self._log, self._pid = log, 0
        with log.open("ab") as file:
            self._source = subprocess.Popen(
                [*within, sys.executable, "-c", SOURCE],
                env={**env, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
            )
        assert "loaded" == self._told(LOAD_LIMIT_S), self.log()[-2000:]

    @property
    def pid(self) -> int:
        """Of the gateway that runs; 0 where none does."""
        return self._pid

    def start(self) -> None:
        self._pid = int(self._asked("start"))

    def kill(self) -> None:
        """Kill what runs, at once, and wait until it is gone."""
        self._ended(signal.SIGKILL)

    def stop(self) -> int:
        """Stop what runs as an init system does; returns its exit code."""
        return self._ended(signal.SIGTERM)

    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        if self._pid:
            self.kill()
        self._source.stdin.close()
        self._source.wait(END_LIMIT_S)
        self._source.stdout.close()

    def _ended(self, number: signal.Signals) -> int:
        os.kill(self._pid, number)
        self._pid = 0
        return int(self._asked("wait"))

    def _asked(self, what: str) -> str:
        self._source.stdin.write(f"{what}\n".encode())
        self._source.stdin.flush()
        return self._told(END_LIMIT_S)

    def _told(self, within_s: float) -> str:
        ready, _, _ = select.select([self._source.stdout], [], [], within_s)
        assert ready, f"not within {within_s} s: {self.log()[-2000:]}"
        return self._source.stdout.readline().decode().strip()


@contextmanager
def gateways(
    env: Mapping[str, str], log: Path, *, within: Sequence[str] = ()
) -> Iterator[Gateways]:
    """Nothing runs until the test starts it; nothing is left at the end of the block."""
    found = Gateways(env, log, within=within)
    try:
        yield found
    finally:
        found.close()
