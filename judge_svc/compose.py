"""Put the judge together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from judge_svc.service import JudgeServicer
from services.config.tree import LoadedConfig
from services.models.roster import open_roster


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, engines: Mapping[str, str]
) -> AsyncIterator[JudgeServicer]:
    """The judge of a configuration; `engines` holds the address of each local model's engine."""
    async with open_roster(loaded, engines=engines, service="judge") as roster:
        servicer = JudgeServicer(roster)
        servicer.models.measure()
        yield servicer
