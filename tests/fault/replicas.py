"""Services started one by one, several of each where a test wants that, as a cluster would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.runtime.probe import health
from tests.running import environment, free_port, frozen

MODULES = {
    "router": "router_svc",
    "jury": "jury_svc",
    "judge": "judge_svc",
    "aggregator": "aggregator_svc",
    "gateway": "services.gateway",
}
START_LIMIT_S = 60.0
END_LIMIT_S = 40.0


@dataclass
class Replica:
    """One process of a service, on an address that it keeps."""

    service: str
    address: str
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", MODULES[self.service]],
                env=self.env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def health(self) -> str:
        return health(self.address, timeout_s=0.5) if self.running else "ENDED"

    def until_serving(self) -> None:
        wait_until(lambda: self.health() == "SERVING", within_s=START_LIMIT_S)

    def send(self, number: int) -> None:
        assert self.process
        os.kill(self.process.pid, number)

    def ended(self) -> int:
        """Wait for its end; returns its exit code."""
        assert self.process
        return self.process.wait(END_LIMIT_S)

    def frozen(self) -> AbstractContextManager[None]:
        assert self.process
        return frozen(self.process.pid)

    def end(self) -> None:
        if self.running:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self.ended()


@dataclass
class Cluster:
    """Replicas by service."""

    replicas: dict[str, list[Replica]] = field(default_factory=dict)

    def all(self) -> list[Replica]:
        return [each for same in self.replicas.values() for each in same]

    @property
    def address(self) -> str:
        """Of the gateways."""
        return target(self.replicas["gateway"])

    def one(self, service: str) -> Replica:
        return self.replicas[service][0]

    def start(self) -> None:
        """Start all and wait until they serve."""
        for each in self.all():
            each.start()
        for service in self.replicas:
            self.until_serving(service)

    def until_serving(self, service: str) -> None:
        """Wait until all replicas of a service serve, and no process that was started has died."""

        def serves() -> bool:
            dead = [each for each in self.all() if each.process and not each.running]
            assert not dead, "\n".join(each.log.read_text()[-2000:] for each in dead)
            return all(each.health() == "SERVING" for each in self.replicas[service])

        wait_until(serves, within_s=START_LIMIT_S)


@contextmanager
def cluster(
    folder: Path, config: str, counts: Mapping[str, int] | None = None, **env: str
) -> Iterator[Cluster]:
    """As many replicas of each service as `counts` says, else one; the test starts them."""
    found = Cluster()
    for service in MODULES:
        addresses = [f"127.0.0.1:{free_port()}" for _ in range((counts or {}).get(service, 1))]
        found.replicas[service] = [
            Replica(service, address, {}, folder / f"{service}-{nth}.log")
            for nth, address in enumerate(addresses)
        ]
    for each in found.all():
        path = each.log.with_suffix("") / "gremium.yaml"  # a ledger belongs to one gateway
        path.parent.mkdir()
        path.write_text(config)
        each.env = environment(**_told(each, found, path), **env)
    try:
        yield found
    finally:
        for each in found.all():
            each.end()


def target(replicas: list[Replica]) -> str:
    return "ipv4:" + ",".join(each.address for each in replicas)


def wait_until(condition, *, within_s: float, every_s: float = 0.05) -> float:
    """Seconds until the condition held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + within_s, f"not within {within_s} s"
        time.sleep(every_s)
    return time.monotonic() - began


def _told(replica: Replica, found: Cluster, config: Path) -> dict[str, str]:
    prefix = f"GREMIUM_{replica.service.upper()}"
    told = {f"{prefix}_BIND": replica.address, f"{prefix}_CONFIG": str(config)}
    if replica.service == "gateway":
        peers = {name: target(same) for name, same in found.replicas.items() if name != "gateway"}
        told |= {f"{prefix}_{name.upper()}": each for name, each in peers.items()}
    return told
