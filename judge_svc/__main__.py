"""Run the judge: `python -m judge_svc`."""

from pathlib import Path

from gremium.v1.judge_pb2_grpc import add_JudgeServiceServicer_to_server
from judge_svc.compose import composed
from judge_svc.settings import JudgeSettings
from services.config.load import load
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.JudgeService"


async def main() -> None:
    settings = JudgeSettings.from_env("GREMIUM_JUDGE")
    loaded = load(Path(settings.config))
    async with (
        composed(loaded, engines=settings.engine_addresses) as servicer,
        running(
            settings,
            lambda server: add_JudgeServiceServicer_to_server(servicer, server),
            services=[SERVICE],
        ),
    ):
        await until_signalled()


if __name__ == "__main__":
    run(main(), service="judge")
