"""Gateways started one after the other on the same address, the next one always loaded already.

Each is a process of its own that has imported the gateway and waits for a line to run its `main`;
it is that of `python -m services.gateway`, without the second that its imports take.
"""

import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

END_LIMIT_S = 40.0
LOAD_LIMIT_S = 60.0
SOURCE = """
import sys
from services.gateway.__main__ import main
from services.runtime.server import run
print("loaded", flush=True)
sys.stdin.readline()
run(main(), service="gateway")
"""


class Gateways:
    """The gateway that runs, and the one that will be next."""

    def __init__(self, env: Mapping[str, str], log: Path, *, within: Sequence[str] = ()) -> None:
        """`within` is a command that runs the gateway, such as one that mounts a file system."""
        self._env, self._log, self._within = env, log, within
        self._running: list[subprocess.Popen[bytes]] = []
        self._next = self._loaded()

    @property
    def pid(self) -> int:
        return self._running[-1].pid

    def start(self) -> None:
        """Let the next gateway run, once it is loaded; load the one after it meanwhile."""
        current = self._next
        assert select.select([current.stdout], [], [], LOAD_LIMIT_S)[0], self.log()[-2000:]
        self._next = self._loaded()
        self._running.append(current)
        current.stdin.write(b"\n")
        current.stdin.close()

    def kill(self) -> None:
        """Kill what runs, at once, and wait until it is gone."""
        _ended(self._running.pop(), signal.SIGKILL)

    def stop(self) -> int:
        """Stop what runs as a supervisor does; returns its exit code."""
        return _ended(self._running.pop(), signal.SIGTERM)

    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        while self._running:
            self.kill()
        _ended(self._next, signal.SIGKILL)
        self._next.stdin.close()

    def _loaded(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*self._within, sys.executable, "-c", SOURCE],
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )


def _ended(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    """Exit code of a process that is told to end."""
    process.send_signal(number)
    code = process.wait(END_LIMIT_S)
    process.stdout.close()
    return code


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
