"""Run the gateway: `python -m services.gateway`."""

from functools import partial
from pathlib import Path

from gremium.v1.ensemble_pb2_grpc import add_EnsembleServiceServicer_to_server
from services.config.load import load
from services.gateway.compose import composed, grpc_mesh
from services.gateway.settings import GatewaySettings
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.EnsembleService"


async def main() -> None:
    settings = GatewaySettings.from_env("GREMIUM_GATEWAY")
    loaded = load(Path(settings.config))

    async with (
        grpc_mesh(settings) as mesh,
        composed(loaded, mesh=mesh) as servicer,
        running(
            settings,
            lambda server: add_EnsembleServiceServicer_to_server(servicer, server),
            services=[SERVICE],
            ready=partial(mesh.ready, patience_s=settings.patience_s),
        ),
    ):
        await until_signalled()


if __name__ == "__main__":
    run(main(), service="gateway")
