import shutil
import subprocess
import sys

import pytest

from services.config.ollama import EMBEDDED
from tests.running import environment, mesh_running

LIMIT_S = 90


@pytest.fixture(scope="session")
def embedded(require):
    """Configuration of the embedded model, whatever else this machine could ask."""
    require("embedded", "weights")
    return EMBEDDED.read_text()


@pytest.fixture(scope="module")
def mesh(embedded, tmp_path_factory):
    """Five processes and an engine that every test of a module may ask."""
    with mesh_running(tmp_path_factory.mktemp("mesh"), embedded) as running:
        yield running


@pytest.fixture(scope="session")
def gremium():
    """Run a command to its end; returns exit code, stdout and stderr."""

    def run(folder, *arguments, text=None):
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *map(str, arguments)],
            cwd=folder,
            env=environment(),
            input=text,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def folder(tmp_path, embedded):
    """A folder whose configuration is that of the embedded model."""
    (tmp_path / "gremium.yaml").write_text(embedded)
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)
