"""Run the aggregator: `python -m aggregator_svc`."""

from pathlib import Path

from aggregator_svc.compose import composed
from aggregator_svc.settings import AggregatorSettings
from gremium.v1.aggregator_pb2_grpc import add_AggregatorServiceServicer_to_server
from services.config.load import load
from services.config.slots import service_slots
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.AggregatorService"


async def main() -> None:
    settings = AggregatorSettings.from_env("GREMIUM_AGGREGATOR")
    loaded = load(Path(settings.config))
    async with (
        composed(loaded, engines={}) as servicer,
        running(
            settings,
            lambda server: add_AggregatorServiceServicer_to_server(servicer, server),
            services=[SERVICE],
            slots=service_slots(loaded.config),
        ),
    ):
        await until_signalled()


if __name__ == "__main__":
    run(main(), service="aggregator")
