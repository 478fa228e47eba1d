"""Starts real meshes for tests: the same command a user runs, on ports of its own."""

import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
START_LIMIT_S = 90
STOP_LIMIT_S = 20


ANY_CONSOLE = {"GREMIUM_GATEWAY_CONSOLE": "127.0.0.1:0"}
"""Two meshes that start at once would both find the usual port free."""


@dataclass(frozen=True)
class Mesh:
    """A mesh that serves."""

    process: subprocess.Popen[str]
    address: str
    services: Mapping[str, Mapping[str, object]]
    """Address and process id by service."""
    engines: Mapping[str, Mapping[str, object]]
    folder: pathlib.Path
    console: str = ""
    """`host:port` of the web page."""

    def pid(self, service: str) -> int:
        return int(str(self.services[service]["pid"]))


def environment(**extra: str) -> dict[str, str]:
    """The environment without anything that would change which mesh starts."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.endswith("_API_KEY") and not key.startswith(("OTEL_", "GREMIUM_"))
    }
    path = os.pathsep.join([str(ROOT), str(ROOT / "protos")])
    return {**kept, "PYTHONPATH": path, **extra}


@contextmanager
def mesh_running(
    folder: pathlib.Path, config: str | None, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[Mesh]:
    """Run `gremium up` in `folder`; stop it as Ctrl-C would."""
    arguments = ["--bind=127.0.0.1:0", "--json", *options]
    if config is not None:
        path = folder / "gremium.yaml"
        path.write_text(config)
        arguments += ["--config", str(path)]
    with (folder / "up.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "up", *arguments],
            cwd=folder,
            env=environment(**{**ANY_CONSOLE, **(env or {})}),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        told = json.loads(_first_line(process, folder / "up.log"))
        yield Mesh(
            *(process, told["gateway"], told["services"], told.get("engines", {}), folder),
            console=told["console"],
        )
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> int:
    """Interrupt a process and wait for its end; kill it when it does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(STOP_LIMIT_S)
    finally:
        if process.stdout:
            process.stdout.close()


def page(mesh: Mesh, path: str) -> str:
    """A page of a mesh's console."""
    with urllib.request.urlopen(f"http://{mesh.console}{path}", timeout=30) as response:
        return str(response.read().decode())


def models_told(mesh: Mesh) -> dict[str, Any]:
    """What `gremium models --json` says of a mesh's models and services."""
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "models", "--json", "--config", "gremium.yaml"],
        cwd=mesh.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process as if it hung, until the block ends."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and is not waited for does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _first_line(process: subprocess.Popen[str], log: pathlib.Path) -> str:
    assert process.stdout
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        if ready and (line := process.stdout.readline()):
            return line
        if process.poll() is not None:
            break
    raise AssertionError(f"the mesh did not start:\n{log.read_text()[-4000:]}")
