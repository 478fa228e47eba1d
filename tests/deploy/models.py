"""Models that answer as scripted, for the containers.

Prints the name of the model that is asked, a line a call.
"""

import asyncio

from services.runtime.server import until_signalled
from tests.scripted import SCRIPT
from tests.upstream import Reply, Upstream, upstream

PORT = 8080
SLOW_S = 2.0
TELL_EVERY_S = 0.05


async def main() -> None:
    script = {**SCRIPT, "slow": Reply(delay_s=SLOW_S)}
    async with upstream(script, host="0.0.0.0", port=PORT) as server:
        telling = asyncio.create_task(tell(server))
        await until_signalled()
        telling.cancel()


async def tell(server: Upstream) -> None:
    told = 0
    while True:
        for body in server.requests[told:]:
            print(body["model"], flush=True)  # noqa: T201 - the tests read it
            told += 1
        await asyncio.sleep(TELL_EVERY_S)


if __name__ == "__main__":
    asyncio.run(main())
