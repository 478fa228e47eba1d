"""A mesh under `gremium up`, whose supervisor starts anew what a test kills."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil

from tests.fault.five import TIMEOUT_S, request
from tests.running import Mesh, frozen, mesh_running
from tests.scripted import CONFIG, upstream_thread
from tests.upstream import Reply, Upstream

BACK_S = 30.0
"""Longest time until the supervisor has a service back."""
SCRIPT = {"four": Reply(delay_s=0.3), "slow": Reply(delay_s=1.5)}
SLOW = ["slow-a", "slow-b", "slow-c"]
PRICED = "timeout_s: 5, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
TIERS = "[{name: first, jurors: [{model: a}]}, {name: second, jurors: [{model: b}]}]"
JUDGED = "default_timeout_s: 20, jurors: [{model: a}, {model: b}, {model: c, weight: 2}]"
ENSEMBLES = f"""\
ensembles:
  slow: {{pattern: jury, jurors: [{", ".join(f"{{model: {name}}}" for name in SLOW)}]}}
  routed: {{pattern: route, tiers: {TIERS}, default_tier: second}}
  closed: {{pattern: jury, {JUDGED}, judge: {{models: [judge], on_failure: closed}}}}
"""


@dataclass(frozen=True)
class Supervised:
    """A mesh and the provider that it asks."""

    mesh: Mesh
    server: Upstream


@contextmanager
def supervised(folder: Path) -> Iterator[Supervised]:
    """The scripted mesh, with ensembles besides: of priced jurors who take their time, of tiers, of a strict judge."""
    with upstream_thread(SCRIPT) as server, mesh_running(folder, _config(server.url)) as mesh:
        yield Supervised(mesh, server)


def _config(url: str) -> str:
    models = [
        f'  {name}: {{backend: openai, model: slow, family: {name}, base_url: "{url}", {PRICED}}}\n'
        for name in SLOW
    ]
    return CONFIG.format(url=url).replace("ensembles:\n", "".join(models) + ENSEMBLES, 1)


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
