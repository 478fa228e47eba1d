"""Put the aggregator together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aggregator_svc.service import AggregatorServicer
from services.config.tree import LoadedConfig
from services.models.embeddings import open_embedder
from services.models.roster import Roster, open_roster


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, engines: Mapping[str, str]
) -> AsyncIterator[AggregatorServicer]:
    """The aggregator of a configuration; `engines` holds the address of each local model's engine.

    It asks no model unless an ensemble wants syntheses, and opens none then.
    """
    spec, writes = loaded.config.embeddings, loaded.config.synthesises
    async with AsyncExitStack() as opened:
        roster, embedder = Roster({}), None
        if writes:
            roster = await opened.enter_async_context(
                open_roster(loaded, engines=engines, service="aggregator")
            )
        if spec.backend != "none":
            embedder = await opened.enter_async_context(open_embedder(loaded))
        servicer = AggregatorServicer(embedder, roster, embed_timeout_s=spec.timeout_s)
        servicer.models.measure()
        yield servicer
