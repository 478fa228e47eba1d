import os
import shutil

import pytest

from tests.deploy.building import IMAGE, build
from tests.deploy.deployment import FILES, METRICS, Deployment, write_config
from tests.deploy.engine import engine_running, has_compose
from tests.running import free_port


@pytest.fixture(scope="session")
def engine(require):
    require("engine")
    with engine_running() as engine:
        yield engine


@pytest.fixture(scope="session")
def image(engine, require, tmp_path_factory):
    require("embedded")
    return build(engine, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def deployment(engine, image, tmp_path_factory):
    """A project of its own, taken down whatever happens."""
    if not has_compose(engine):
        pytest.skip("docker compose is not installed")
    port, figures = free_port(), shutil.which("prometheus")
    settings = {
        "GREMIUM_IMAGE": IMAGE,
        "GREMIUM_CONFIG": str(write_config(tmp_path_factory.mktemp("deployment"))),
        "GREMIUM_PORT": str(port),
        "GREMIUM_CONSOLE_PORT": str(free_port()),
        "GREMIUM_PROMETHEUS_PORT": str(free_port()),
        "PROMETHEUS": figures or "",
    }
    files = (*FILES, *METRICS) if figures else FILES
    deployment = Deployment(engine, f"gremium-test-{os.getpid()}", port, settings, files)
    try:
        yield deployment
    finally:
        deployment.compose("down", "--volumes", "--timeout=5")


@pytest.fixture(scope="module")
def mesh(deployment):
    """Five containers that are healthy, and the models that they ask."""
    deployment.up()
    return deployment
