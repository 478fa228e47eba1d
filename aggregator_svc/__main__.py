"""Run the aggregator: `python -m aggregator_svc`."""

from functools import partial
from pathlib import Path

import grpc

from aggregator_svc.compose import composed
from aggregator_svc.service import AggregatorServicer
from aggregator_svc.settings import AggregatorSettings
from gremium.v1.aggregator_pb2_grpc import add_AggregatorServiceServicer_to_server
from gremium.v1.model_status_pb2_grpc import add_ModelStatusServiceServicer_to_server
from services.config.load import load
from services.config.slots import service_slots
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.AggregatorService"
MODELS = "gremium.v1.ModelStatusService"


async def main() -> None:
    settings = AggregatorSettings.from_env("GREMIUM_AGGREGATOR")
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


def _register(servicer: AggregatorServicer, server: grpc.aio.Server) -> None:
    add_AggregatorServiceServicer_to_server(servicer, server)
    add_ModelStatusServiceServicer_to_server(servicer.models, server)


if __name__ == "__main__":
    run(main(), service="aggregator")
