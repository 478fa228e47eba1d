"""One mesh for the rows of many callers: overload, hung providers, noisy neighbours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fault.bursts import Burst
from tests.fault.load import echo
from tests.fault.replicas import Cluster, cluster
from tests.scripted import upstream_thread
from tests.upstream import Reply, Upstream

CONFIG = """\
version: 1
models:
  narrow: {{backend: openai, model: narrow, family: f, base_url: "{url}", timeout_s: 20, max_concurrent: {places}}}
  wide: {{backend: openai, model: wide, family: g, base_url: "{url}", timeout_s: 20, max_concurrent: {wide}}}
  hung: {{backend: openai, model: hung, family: h, base_url: "{url}", timeout_s: 20, max_concurrent: {wide}}}
ensembles:
  narrow: {{pattern: jury, jurors: [{{model: narrow}}]}}
  wide: {{pattern: jury, jurors: [{{model: wide}}]}}
  hung: {{pattern: jury, jurors: [{{model: hung}}]}}
default_ensemble: wide
embeddings: {{backend: none}}
"""


@dataclass(frozen=True)
class Size:
    """Of a model, and of what is asked of it."""

    places: int
    latency_s: float
    load_s: float

    @property
    def per_s(self) -> float:
        """Capacity, in requests."""
        return self.places / self.latency_s


NARROW = {True: Size(16, 2.0, 20.0), False: Size(8, 1.0, 4.0)}
"""For the overload; by whether there is time for the long form."""
WIDE = {True: Size(16, 1.0, 15.0), False: Size(16, 1.0, 2.5)}
"""For the neighbours."""


@dataclass(frozen=True)
class Crowded:
    """A mesh that many ask, and the provider that it asks."""

    mesh: Cluster
    server: Upstream
    narrow: Size
    wide: Size

    def burst(self, ensemble: str, caller: str, *, rate: float, seconds: float, **more: float):
        """Steady load from a process of its own."""
        address = self.mesh.one("gateway").address
        return Burst(address, rate=rate, seconds=seconds, ensemble=ensemble, caller=caller, **more)


@contextmanager
def crowded(folder: Path, *, long: bool) -> Iterator[Crowded]:
    narrow, wide = NARROW[long], WIDE[long]
    script = {
        "narrow": echo(delay_s=narrow.latency_s),
        "wide": echo(delay_s=wide.latency_s),
        "hung": Reply(hang=True),
    }
    with upstream_thread(script) as server:
        config = CONFIG.format(url=server.url, places=narrow.places, wide=wide.places)
        with cluster(folder, config) as mesh:
            mesh.start()
            yield Crowded(mesh, server, narrow, wide)
