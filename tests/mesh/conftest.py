from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from services.calibration.artefact import Calibration, write
from tests.mesh.meshes import MESHES, Gateway, gateway, written
from tests.upstream import Script, upstream


@pytest.fixture(params=["grpc", "local"])
def transport(request) -> str:
    return request.param


@pytest.fixture
async def serve(transport, tmp_path):
    """Start a mesh: `gateway = await serve(ensemble, script, hung={"judge", "jury:small"})`."""
    async with AsyncExitStack() as started:

        async def start(
            ensemble: Mapping[str, Any],
            script: Script | None = None,
            *,
            hung: Collection[str] = (),
            **sections: Any,
        ) -> Gateway:
            provider = await started.enter_async_context(upstream(script))
            loaded = written(tmp_path / "gremium.yaml", ensemble, provider.url, **sections)
            mesh = await started.enter_async_context(MESHES[transport](loaded, hung))
            stub = await started.enter_async_context(gateway(loaded, mesh))
            return Gateway(stub, provider)

        yield start


@pytest.fixture
def calibrated(tmp_path):
    """Write a calibration beside the configuration; returns its id."""

    def make(judges=None, /, **pools):
        now = "2026-01-01T00:00:00+00:00"
        made = Calibration(now, "0" * 64, pools=pools, judges=judges or {})
        write(made, tmp_path / "calibration.json")
        return made.id

    return make
