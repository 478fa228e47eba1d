"""Run the jury: `python -m jury_svc`."""

from functools import partial
from pathlib import Path

import grpc

from gremium.v1.jury_pb2_grpc import add_JuryServiceServicer_to_server
from gremium.v1.model_status_pb2_grpc import add_ModelStatusServiceServicer_to_server
from jury_svc.compose import composed
from jury_svc.service import JuryServicer
from jury_svc.settings import JurySettings
from services.config.load import load
from services.config.slots import service_slots
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.JuryService"
MODELS = "gremium.v1.ModelStatusService"


async def main() -> None:
    settings = JurySettings.from_env("GREMIUM_JURY")
    loaded = load(Path(settings.config))

    async with (
        composed(loaded, engines=settings.engine_addresses) as servicer,
        running(
            settings,
            partial(_register, servicer),
            services=[SERVICE, MODELS],
            slots=service_slots(loaded.config),
        ),
    ):
        await until_signalled()


def _register(servicer: JuryServicer, server: grpc.aio.Server) -> None:
    add_JuryServiceServicer_to_server(servicer, server)
    add_ModelStatusServiceServicer_to_server(servicer.models, server)


if __name__ == "__main__":
    run(main(), service="jury")
