"""Finds a Docker engine, or starts one for the tests.

An engine that answers already is used as it is: the one that DOCKER_HOST names,
or this machine's. Otherwise the program that GREMIUM_TEST_ENGINE names is run:
`start` prints shell lines that export the variables of an engine, `stop` ends it.
One of these variables is of ours: ENGINE_RUN, a prefix for commands that are to
reach published ports, where those are not on this machine's own loopback.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

START_LIMIT_S = 420
STOP_LIMIT_S = 60
CALL_LIMIT_S = 300
PING_LIMIT_S = 20
PING = "import docker; docker.from_env(timeout=3).ping()"


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers."""

    client: docker.DockerClient
    env: Mapping[str, str]
    """Variables by which commands find it."""

    @property
    def prefix(self) -> list[str]:
        """Put before a command that is to reach a published port."""
        return shlex.split(self.env.get("ENGINE_RUN", ""))


def is_here() -> bool:
    """Whether there is an engine, or a program that starts one."""
    return Path(os.environ.get("GREMIUM_TEST_ENGINE") or "/nonexistent").exists() or _answers()


def has_compose(engine: Engine) -> bool:
    """Whether there is a `docker compose` to command it."""
    program = shutil.which("docker", path=engine.env.get("PATH"))
    if program is None:
        return False
    told = subprocess.run(
        [program, "compose", "version"], env=engine.env, capture_output=True, check=False
    )
    return 0 == told.returncode


@contextmanager
def engine_running() -> Iterator[Engine]:
    """The engine that answers, or one of our own while the block lasts."""
    if _answers():
        with _opened(os.environ) as engine:
            yield engine
    else:
        with _started(os.environ["GREMIUM_TEST_ENGINE"]) as env, _opened(env) as engine:
            yield engine
            engine.client.images.prune()


@contextmanager
def _started(program: str) -> Iterator[Mapping[str, str]]:
    """What an engine that was cut off has left is removed before the second attempt."""
    try:
        told = _start(program, check=False)
        if told.returncode:
            _stop(program)
            told = _start(program, check=True)
        yield {**os.environ, **_exported(told.stdout)}
    finally:
        _stop(program)


def _start(program: str, *, check: bool) -> subprocess.CompletedProcess[str]:
    command = [program, "start"]
    return subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=START_LIMIT_S, check=check
    )


def _stop(program: str) -> None:
    subprocess.run([program, "stop"], timeout=STOP_LIMIT_S, check=True)


def _exported(lines: str) -> dict[str, str]:
    """Variables that shell lines such as `export A=1 B='2 3'` set."""
    words = (word for line in lines.splitlines() for word in shlex.split(line))
    pairs = (word.partition("=") for word in words if "=" in word)
    return {name: value for name, _, value in pairs}


@contextmanager
def _opened(env: Mapping[str, str]) -> Iterator[Engine]:
    client = docker.from_env(environment=dict(env), timeout=CALL_LIMIT_S)
    try:
        yield Engine(client, env)
    finally:
        client.close()


def _answers() -> bool:
    """Asked by another process: a failed attempt leaves sockets open in its own."""
    done = subprocess.run(
        [sys.executable, "-c", PING], capture_output=True, timeout=PING_LIMIT_S, check=False
    )
    return 0 == done.returncode
