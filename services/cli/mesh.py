"""Runs a whole mesh for as long as a block lasts: five processes, or one."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from services.cli import pages, state, targets
from services.cli.calibrated import learned_findings
from services.cli.child import Child, Process
from services.cli.engines import base_addresses, engine_processes
from services.cli.errors import MeshError
from services.cli.keys import told_of_keys
from services.cli.ports import LOOPBACK, free_ports, reachable, settle
from services.cli.processes import SERVICES, STAGES, service_processes
from services.cli.progress import Progress
from services.cli.supervisor import keep_running, running_children
from services.config.tree import LoadedConfig


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a mesh."""

    bind: str
    """`host:port` for clients; port 0 takes any free one."""
    one_process: bool
    directory: Path
    """Where `.gremium/` with state and logs is."""
    env: Mapping[str, str]
    """What the processes inherit."""
    metrics: bool = False
    """Whether each service gives its figures to Prometheus, even if the environment says nothing."""

    @property
    def logs(self) -> Path:
        return self.directory / state.FOLDER / "logs"


@dataclass(frozen=True, slots=True)
class Mesh:
    """A mesh that serves."""

    children: Sequence[Child]
    loaded: LoadedConfig
    gateway: str
    """`host:port` that clients call."""
    one_process: bool
    directory: Path
    progress: Progress
    metrics: Mapping[str, str]
    """`host:port` at which figures are given, by service; empty: nowhere."""
    console: str
    """`host:port` at which the console is served; empty: nowhere."""

    @property
    def running(self) -> state.Running:
        """What other commands may know of it, with the present process ids."""
        figures = self.metrics.get("gateway", "")
        here = {"address": self.gateway, "pid": os.getpid(), "metrics": figures}
        return state.Running(
            gateway=self.gateway,
            config=str(self.loaded.path),
            services={"gateway": here} | _told(self.children, "stage", "gateway"),
            engines=_told(self.children, "engine"),
            one_process=self.one_process,
            console=reachable(self.console) if self.console else "",
        )

    async def keep_running(self) -> None:
        """Restart what dies, until cancelled.

        Raises
        ------
        MeshError
            If a process dies too often.
        """
        if not self.children:
            await asyncio.Event().wait()
        try:
            async with asyncio.TaskGroup() as watching:
                for child in self.children:
                    watching.create_task(self._keep(child))
        except* MeshError as failed:
            raise failed.exceptions[0] from None

    async def _keep(self, child: Child) -> None:
        async for _ in keep_running(child, progress=self.progress):
            state.write(self.running, self.directory)


@asynccontextmanager
async def mesh_running(
    loaded: LoadedConfig, options: Options, progress: Progress
) -> AsyncIterator[Mesh]:
    """Run a mesh until the block ends; yields once every service is SERVING.

    Raises
    ------
    MeshError
        If the address is in use, or a process does not start.
    BackendError
        If the weights of a local model are missing or wrong.
    ConfigError
        If the calibration cannot be used.
    """
    for line in (*told_of_keys(loaded.config, options.env), *map(str, learned_findings(loaded))):
        progress.say(line)
    options = replace(options, bind=settle(options.bind))
    options.logs.mkdir(parents=True, exist_ok=True)
    engines, ports = engine_processes(loaded, env=options.env), free_ports(2 * len(SERVICES))
    metrics = _metrics(options, ports[len(SERVICES) :])
    services = () if options.one_process else _services(loaded, options, engines, ports, metrics)
    async with (
        running_children([*engines, *services], logs=options.logs, progress=progress) as children,
        _gateway_here(loaded, options, engines, metrics, progress) as gateway,
    ):
        where = options.directory
        console = options.env.get(pages.VARIABLE, "")
        mesh = Mesh(
            *(children, loaded, gateway, options.one_process, where, progress),
            metrics=metrics,
            console=console,
        )
        state.write(mesh.running, where)
        targets.write(metrics, where)
        try:
            yield mesh
        finally:
            targets.forget(where)
            state.forget(where)


def _metrics(options: Options, ports: Sequence[int]) -> dict[str, str]:
    """Where figures are given, by process."""
    names = ("gateway",) if options.one_process else tuple(SERVICES)
    return targets.addresses(names, options.env, ports=ports if options.metrics else None)


def _services(
    loaded: LoadedConfig,
    options: Options,
    engines: tuple[Process, ...],
    ports: Sequence[int],
    metrics: Mapping[str, str],
) -> tuple[Process, ...]:
    addresses = {stage: f"{LOOPBACK}:{ports[nth]}" for nth, stage in enumerate(STAGES)}
    return service_processes(
        loaded.path,
        addresses={**addresses, "gateway": reachable(options.bind)},
        gateway_bind=options.bind,
        engines=base_addresses(engines),
        metrics=metrics,
        env=options.env,
    )


@asynccontextmanager
async def _gateway_here(
    loaded: LoadedConfig,
    options: Options,
    engines: tuple[Process, ...],
    metrics: Mapping[str, str],
    progress: Progress,
) -> AsyncIterator[str]:
    """The gateway's address; with one process, the gateway runs here meanwhile."""
    if not options.one_process:
        yield reachable(options.bind)
        return
    from services.cli.single import serving_here  # noqa: PLC0415 - loads all five services

    began = time.monotonic()
    async with serving_here(
        loaded,
        bind=options.bind,
        engines=base_addresses(engines),
        env={**options.env, targets.variable("gateway"): metrics["gateway"]},
        log=options.logs / "gremium.log",
    ):
        progress.serving("all services", reachable(options.bind), time.monotonic() - began)
        yield reachable(options.bind)


def _told(children: Sequence[Child], *kinds: str) -> dict[str, dict[str, object]]:
    return {
        child.process.name: {
            "address": child.process.address,
            "pid": child.pid,
            "metrics": child.process.metrics,
        }
        for child in children
        if child.process.kind in kinds
    }
