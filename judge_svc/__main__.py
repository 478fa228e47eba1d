"""Run the judge: `python -m judge_svc`."""

from functools import partial
from pathlib import Path

import grpc

from gremium.v1.judge_pb2_grpc import add_JudgeServiceServicer_to_server
from gremium.v1.model_status_pb2_grpc import add_ModelStatusServiceServicer_to_server
from judge_svc.compose import composed
from judge_svc.service import JudgeServicer
from judge_svc.settings import JudgeSettings
from services.config.load import load
from services.config.slots import service_slots
from services.runtime.server import run, running, until_signalled

SERVICE = "gremium.v1.JudgeService"
MODELS = "gremium.v1.ModelStatusService"


async def main() -> None:
    settings = JudgeSettings.from_env("GREMIUM_JUDGE")
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


def _register(servicer: JudgeServicer, server: grpc.aio.Server) -> None:
    add_JudgeServiceServicer_to_server(servicer, server)
    add_ModelStatusServiceServicer_to_server(servicer.models, server)


if __name__ == "__main__":
    run(main(), service="judge")
