"""One mesh of five processes with three scripted models, for every client."""

import pytest

from tests.running import mesh_running
from tests.scripted import CONFIG, upstream_thread


@pytest.fixture(scope="session")
def scripted_mesh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    with upstream_thread() as server, mesh_running(folder, CONFIG.format(url=server.url)) as mesh:
        yield mesh
