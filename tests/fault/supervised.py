"""A mesh under `gremium up`, whose supervisor starts anew what a test kills."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import psutil

from tests.fault.five import TIMEOUT_S, request
from tests.running import Mesh, frozen

BACK_S = 30.0
"""Longest time until the supervisor has a service back."""


def answers(gateway: Any) -> bool:
    """Whether all stages answer again."""
    try:
        return not gateway.Ask(request(), timeout=TIMEOUT_S).degraded
    except grpc.RpcError:
        return False


def process(mesh: Mesh, service: str) -> psutil.Process:
    """The process that serves now; the supervisor may have started it anew."""
    return next(
        child
        for child in psutil.Process(mesh.process.pid).children(recursive=True)
        if any(service in word for word in child.cmdline())
    )


@contextmanager
def killed(mesh: Mesh, service: str) -> Iterator[None]:
    """Kill a service; it is not started anew before the block ends."""
    victim = process(mesh, service)
    with frozen(mesh.process.pid):
        victim.kill()
        yield
