"""One mesh for the rows that kill and freeze: a service of each kind, two juries, two providers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fault.load import echo
from tests.fault.replicas import Cluster, cluster
from tests.fault.stubs import Stub, stub
from tests.scripted import CONFIG, upstream_thread
from tests.upstream import Reply, Upstream

ECHO_S = 0.4
SCRIPT = {"long": Reply(delay_s=20), "echo": echo(delay_s=ECHO_S)}
ADDED = """\
  d: {{backend: openai, model: echo, family: kappa, base_url: "{url}", timeout_s: 5}}
  e: {{backend: openai, model: echo, family: lambda, base_url: "{url}", timeout_s: 5}}
  f: {{backend: openai, model: echo, family: mu, base_url: "{url}", timeout_s: 5}}
  away: {{backend: openai, model: away, family: theta, base_url: "{away}", timeout_s: 5}}
  long: {{backend: openai, model: long, family: iota, base_url: "{url}", timeout_s: 30}}
ensembles:
  echo:
    pattern: jury
    quorum: 3
    jurors: [{{model: d}}, {{model: e}}, {{model: f}}]
    judge: {{models: [judge], timeout_s: 5}}
  long: {{pattern: jury, jurors: [{{model: long}}]}}
  away: {{pattern: jury, quorum: 2, jurors: [{{model: a}}, {{model: b}}, {{model: away}}]}}
"""


@dataclass(frozen=True)
class Frail:
    """A mesh, the provider that it asks, and another that a test may freeze."""

    mesh: Cluster
    server: Upstream
    away: Stub


@contextmanager
def frail(folder: Path) -> Iterator[Frail]:
    with stub() as away, upstream_thread(SCRIPT) as server:
        added = ADDED.format(url=server.url, away=away.url)
        config = CONFIG.format(url=server.url).replace("ensembles:\n", added, 1)
        with cluster(folder, config, {"jury": 2}) as mesh:
            mesh.start()
            yield Frail(mesh, server, away)
