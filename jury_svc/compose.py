"""Put the jury together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from jury_svc.service import JuryServicer
from services.config.tree import LoadedConfig
from services.models.roster import open_roster


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, engines: Mapping[str, str]
) -> AsyncIterator[JuryServicer]:
    """The jury of a configuration; `engines` holds the address of each local model's engine."""
    async with open_roster(loaded, engines=engines, service="jury") as roster:
        servicer = JuryServicer(roster)
        servicer.models.measure()
        yield servicer
