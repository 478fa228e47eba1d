"""A service in a process of its own, for tests that signal it: `python lone_service.py HOST:PORT`."""

import sys

from gremium.v1 import router_pb2_grpc
from services.runtime.server import run, running, until_signalled
from services.runtime.settings import ServerSettings
from tests.unit.runtime.serving import ROUTER, Router


async def main() -> None:
    settings = ServerSettings(bind=sys.argv[1], drain_s=5)
    router = Router()

    async with running(
        settings,
        lambda server: router_pb2_grpc.add_RouterServiceServicer_to_server(router, server),
        services=[ROUTER],
    ):
        await until_signalled()


if __name__ == "__main__":
    run(main(), service="router")
