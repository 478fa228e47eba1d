"""Put the router together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from router_svc.catalog import domain_examples, ensemble_profiles, uses_domains
from router_svc.reading import Reader, embed_examples
from router_svc.service import RouterServicer
from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.models.embeddings import open_embedder

EXAMPLES_S: Final = 60.0
"""Longest time to embed the examples of the domains at start."""


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, engines: Mapping[str, str]
) -> AsyncIterator[RouterServicer]:
    """The router of a configuration. It asks no model, so it has no use for `engines`."""
    del engines
    async with _reader(loaded) as reader:
        yield RouterServicer(ensemble_profiles(loaded.config), reader)


@asynccontextmanager
async def _reader(loaded: LoadedConfig) -> AsyncIterator[Reader]:
    """A reader; it looks for domains, at some milliseconds a prompt, only where they are used."""
    config = loaded.config
    if not uses_domains(config):
        yield Reader()
        return
    async with open_embedder(loaded) as embedder:
        examples = await embed_examples(
            embedder, domain_examples(config.router), deadline=Deadline.after(EXAMPLES_S)
        )
        yield Reader(
            embedder,
            examples,
            min_similarity=config.router.min_domain_similarity,
            timeout_s=config.embeddings.timeout_s,
        )
