"""The mesh in containers: starts it by the project's compose file, asks it, looks at it."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from docker.models.containers import Container

from tests.deploy.engine import Engine
from tests.running import ROOT, environment
from tests.scripted import CONFIG

MODELS = "http://models:8080/v1"
SERVICES = ("router", "jury", "judge", "aggregator", "gateway")
STAGES = SERVICES[:-1]
FILES = ("docker-compose.yml", "deploy/console.yml", "tests/deploy/compose.yml")
METRICS = ("deploy/metrics.yml", "tests/deploy/metrics.yml")
"""What adds this machine's Prometheus."""
COMMAND_LIMIT_S = 180
ASK_LIMIT_S = 60
PAGE_LIMIT_S = 30
READ = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=10).read().decode())"
FIGURES_URL = "http://127.0.0.1:9464/metrics"
WORK = re.compile(r"^rpc_server_call_\S+/(Route|Deliberate|Aggregate|Verify)\b", re.MULTILINE)

SLOW = """\
  slow: {{backend: openai, model: slow, family: theta, base_url: "{url}", timeout_s: 9}}
ensembles:
  one-slow: {{pattern: jury, quorum: 1, jurors: [{{model: slow}}]}}
"""


def config() -> str:
    """The scripted mesh, with an ensemble whose juror takes its time."""
    return CONFIG.replace("ensembles:\n", SLOW, 1).format(url=MODELS)


@dataclass(frozen=True)
class Deployment:
    """One project of `docker compose`."""

    engine: Engine
    project: str
    port: int
    """Where its gateway is published."""
    settings: Mapping[str, str]
    """Variables that the compose files read."""
    files: Sequence[str] = FILES

    def compose(self, *arguments: str) -> str:
        done = subprocess.run(
            [
                *("docker", "compose", "--project-name", self.project),
                *(f"--file={ROOT / file}" for file in self.files),
                *arguments,
            ],
            cwd=ROOT,
            env={**self.engine.env, **self.settings},
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
        assert 0 == done.returncode, f"{done.stderr}\n{self._logs() if 'up' in arguments else ''}"
        return done.stdout

    def up(self, *arguments: str) -> None:
        """Start what does not run, and wait until everything is healthy."""
        self.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout=120", *arguments)

    def containers(self, service: str) -> list[Container]:
        labels = [
            f"com.docker.compose.project={self.project}",
            f"com.docker.compose.service={service}",
        ]
        return self.engine.client.containers.list(all=True, filters={"label": labels})

    def container(self, service: str) -> Container:
        [only] = self.containers(service)
        return only

    def asking(self, question: str, *options: str) -> subprocess.Popen[str]:
        """Ask over the published port; the reply comes as JSON."""
        gremium = [sys.executable, "-m", "services.cli"]
        where = ["--address", f"127.0.0.1:{self.port}", "--json"]
        return subprocess.Popen(
            [*self.engine.prefix, *gremium, "ask", *where, *options, question],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: str, *options: str) -> dict:
        return reply_of(self.asking(question, *options))

    def page(self, variable: str, path: str) -> str:
        """What is told at the published port that a variable names."""
        url = f"http://127.0.0.1:{self.settings[variable]}{path}"
        return subprocess.run(
            [*self.engine.prefix, sys.executable, "-c", READ, url],
            capture_output=True,
            text=True,
            timeout=PAGE_LIMIT_S,
            check=True,
        ).stdout

    def crash(self, container: Container) -> None:
        """Kill its process, but not by the engine's doing, which would leave it at that."""
        container.reload()
        self.engine.client.containers.run(
            self.settings["GREMIUM_IMAGE"],
            ["python", "-c", f"import os; os.kill({container.attrs['State']['Pid']}, 9)"],
            pid_mode="host",
            user="0",
            network_mode="none",
            remove=True,
        )

    def _logs(self) -> str:
        tails = {name: self.containers(name) for name in (*SERVICES, "models")}
        return "\n".join(
            f"{name}: {each.status}\n{each.logs(tail=20).decode()}"
            for name, all_of_it in tails.items()
            for each in all_of_it
        )


def reply_of(asking: subprocess.Popen[str]) -> dict:
    """Wait for the reply; a question that is not answered fails the test."""
    out, _ = asking.communicate(timeout=ASK_LIMIT_S)
    assert 0 == asking.returncode, out
    return json.loads(out)


def health(container: Container) -> str:
    """What its health check found: `starting`, `healthy` or `unhealthy`."""
    container.reload()
    return container.attrs["State"]["Health"]["Status"]


def has_worked(container: Container) -> bool:
    """Whether it had to do with a request, by its own figures."""
    code, page = container.exec_run(["python", "-c", READ, FIGURES_URL])
    assert 0 == code, page.decode()
    return WORK.search(page.decode()) is not None


def is_back(container: Container) -> bool:
    """Whether it runs, and not for the first time."""
    container.reload()
    return container.attrs["RestartCount"] > 0 and container.status == "running"


def until(condition, *, within_s: float) -> bool:
    """Wait until something is so; whether it became so in time."""
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def write_config(folder: Path) -> Path:
    path = folder / "gremium.yaml"
    path.write_text(config())
    path.chmod(0o644)  # the services run as somebody else
    return path
