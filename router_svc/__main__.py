"""Run the router: `python -m router_svc`."""

from pathlib import Path

from gremium.v1.router_pb2_grpc import add_RouterServiceServicer_to_server
from router_svc.compose import composed
from router_svc.settings import RouterSettings
from services.config.load import load
from services.config.slots import service_slots
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.RouterService"


async def main() -> None:
    settings = RouterSettings.from_env("GREMIUM_ROUTER")
    loaded = load(Path(settings.config))
    async with (
        composed(loaded, engines=settings.engine_addresses) as servicer,
        running(
            settings,
            lambda server: add_RouterServiceServicer_to_server(servicer, server),
            services=[SERVICE],
            slots=service_slots(loaded.config),
        ),
    ):
        await until_signalled()


if __name__ == "__main__":
    run(main(), service="router")
