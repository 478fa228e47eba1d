"""Run the jury: `python -m jury_svc`."""

from pathlib import Path

from gremium.v1.jury_pb2_grpc import add_JuryServiceServicer_to_server
from jury_svc.compose import composed
from jury_svc.settings import JurySettings
from services.config.load import load
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.JuryService"


async def main() -> None:
    settings = JurySettings.from_env("GREMIUM_JURY")
    loaded = load(Path(settings.config))

    async with (
        composed(loaded, engines=settings.engine_addresses) as servicer,
        running(
            settings,
            lambda server: add_JuryServiceServicer_to_server(servicer, server),
            services=[SERVICE],
        ),
    ):
        await until_signalled()


if __name__ == "__main__":
    run(main(), service="jury")
