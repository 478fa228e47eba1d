"""Runs `lone_service.py` as a process of its own."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager

from services.runtime.probe import health
from tests.running import ROOT, environment
from tests.unit.runtime.serving import ROUTER

LIMIT_S = 20


@contextmanager
def started(address, **env):
    """Yields a service's process; its standard error is a pipe."""
    command = [sys.executable, "-m", "tests.unit.runtime.lone_service", address]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(**env), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def log(process):
    """What it logged, once it has ended; lines of gRPC's core are left out."""
    _, text = process.communicate(timeout=LIMIT_S)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def serving(address):
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        if health(address, service=ROUTER) == "SERVING":
            return True
        time.sleep(0.05)
    return False
