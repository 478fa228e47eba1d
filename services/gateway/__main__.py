"""Run the gateway: `python -m services.gateway`."""

from functools import partial
from pathlib import Path

from services.config.load import load
from services.config.slots import service_slots
from services.gateway.compose import composed, grpc_mesh, register
from services.gateway.console.opening import console
from services.gateway.model_states import RemoteStates
from services.gateway.settings import GatewaySettings
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.EnsembleService"
MODELS = "gremium.v1.ModelStatusService"


async def main() -> None:
    settings = GatewaySettings.from_env("GREMIUM_GATEWAY")
    loaded = load(Path(settings.config))
    states = RemoteStates(settings.asking_models)

    async with (
        grpc_mesh(settings) as mesh,
        composed(loaded, mesh=mesh, states=states) as servicer,
        console(settings, loaded, servicer, states) as pages,
        running(
            settings,
            partial(register, servicer, states),
            services=[SERVICE, MODELS],
            slots=service_slots(loaded.config),
            ready=partial(mesh.ready, patience_s=settings.patience_s),
            trouble=lambda: servicer.trouble,
        ),
    ):
        await until_signalled()
        pages.leave()


if __name__ == "__main__":
    run(main(), service="gateway")
