"""Put the aggregator together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aggregator_svc.service import AggregatorServicer
from services.config.tree import LoadedConfig
from services.models.embeddings import open_embedder


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, engines: Mapping[str, str]
) -> AsyncIterator[AggregatorServicer]:
    """The aggregator of a configuration. It asks no model, so it has no use for `engines`."""
    del engines
    spec = loaded.config.embeddings
    if spec.backend == "none":
        yield AggregatorServicer(None, embed_timeout_s=spec.timeout_s)
        return
    async with open_embedder(loaded) as embedder:
        yield AggregatorServicer(embedder, embed_timeout_s=spec.timeout_s)
