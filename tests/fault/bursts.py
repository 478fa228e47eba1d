"""Starts bursts in processes of their own and reads what became of each request."""

import json
import select
import subprocess
import sys
from dataclasses import dataclass

from tests.fault.burst import BEGUN
from tests.running import ROOT, environment

START_LIMIT_S = 30.0
END_LIMIT_S = 60.0


@dataclass(frozen=True)
class Asked:
    """A request of a burst."""

    at_s: float
    """When it was sent, on the wall clock that all processes share."""
    took_s: float
    status: str
    right: bool = False
    reason: str = ""
    retry: bool = False
    """Whether the refusal said when to come back."""

    @property
    def ended_s(self) -> float:
        return self.at_s + self.took_s


class Burst:
    """Open-loop load that runs meanwhile."""

    def __init__(
        self,
        address: str,
        *,
        rate: float,
        seconds: float,
        ensemble: str,
        caller: str,
        **more: float,
    ):
        options = {"rate": rate, "seconds": seconds, "ensemble": ensemble, "caller": caller, **more}
        told = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        self._seconds = seconds
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.burst", address, *told],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )

    def begun(self) -> None:
        """Wait until it asks: a process takes its time to start."""
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], START_LIMIT_S)
        assert ready, f"no burst after {START_LIMIT_S} s"
        self._process.stdout.readline()

    def ended(self) -> list[Asked]:
        """Wait until all its requests have ended."""
        with self._process as process:
            told, _ = process.communicate(timeout=self._seconds + END_LIMIT_S)
        return [Asked(**json.loads(line)) for line in told.splitlines() if line != BEGUN]


def quantile(values, share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
