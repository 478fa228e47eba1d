"""A real Prometheus over the figures of a mesh that `gremium up` runs."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running import free_port

LIMIT_S = 30.0
ASK_LIMIT_S = 5.0
EVERY_S = 0.2


@dataclass(frozen=True)
class Prometheus:
    """A running server, and how to ask it."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        asked = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(asked, timeout=ASK_LIMIT_S) as reply:  # noqa: S310 - our own
            return json.load(reply)["data"]

    def query(self, query: str, *labels: str) -> dict[Any, float]:
        """The values of an instant query, by one label or several; without labels by ()."""
        found = {}
        for each in self.get("query", query=query)["result"]:
            at = tuple(each["metric"].get(label, "") for label in labels)
            found[at[0] if len(at) == 1 else at] = float(each["value"][1])
        return found

    def last(self, expected: dict[Any, float], query: str, *labels: str) -> dict[Any, float]:
        """The values of a query: those that are expected, or what they are when time is up."""
        end = time.monotonic() + LIMIT_S
        while (found := self.query(query, *labels)) != expected and time.monotonic() < end:
            time.sleep(EVERY_S)
        return found

    def until(self, holds: Callable[["Prometheus"], Any]) -> Any:
        """What `holds` gives, as soon as that is true."""
        end = time.monotonic() + LIMIT_S
        while not (found := holds(self)):
            assert time.monotonic() < end, f"not after {LIMIT_S} s"
            time.sleep(EVERY_S)
        return found


@contextmanager
def prometheus(folder: Path, config: str) -> Iterator[Prometheus]:
    """Run one with this configuration until the block ends."""
    (folder / "prometheus.yml").write_text(config)
    address = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                shutil.which("prometheus") or "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        server = Prometheus(f"http://{address}")
        server.until(_answers)
        yield server
    finally:
        process.terminate()
        process.wait(LIMIT_S)


def _answers(server: Prometheus) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/-/ready", timeout=ASK_LIMIT_S) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except OSError:
        return False
