"""Put the router together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from router_svc.catalog import domain_examples, ensemble_profiles, uses_domains
from router_svc.learned import Learned
from router_svc.reading import Examples, Reader, embed_examples
from router_svc.service import RouterServicer
from services.config.tree import Config, LoadedConfig
from services.core.deadline import Deadline
from services.models.embeddings import Embedder, open_embedder
from services.routing.configured import routing_of

EXAMPLES_S: Final = 60.0
"""Longest time to embed the examples of the domains at start."""


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, engines: Mapping[str, str]
) -> AsyncIterator[RouterServicer]:
    """The router of a configuration. It asks no model, so it has no use for `engines`.

    Raises
    ------
    ConfigError
        If the trained router that is configured cannot be used.
    """
    del engines
    config = loaded.config
    learned = Learned(routing_of(loaded), models=config.models)
    async with _reader(loaded, learned) as reader:
        yield RouterServicer(
            ensemble_profiles(config), reader, min_on_time=config.router.min_on_time
        )


@asynccontextmanager
async def _reader(loaded: LoadedConfig, learned: Learned) -> AsyncIterator[Reader]:
    """A reader; it embeds, at some milliseconds a prompt, only where that is of use."""
    config = loaded.config
    has_domains = uses_domains(config)
    if not has_domains and learned.current is None:
        yield Reader()
        return
    async with open_embedder(loaded) as embedder:
        yield Reader(
            embedder,
            await _examples(config, embedder) if has_domains else None,
            learned=learned,
            looks_for_domains=has_domains,
            min_similarity=config.router.min_domain_similarity,
            timeout_s=config.embeddings.timeout_s,
        )


async def _examples(config: Config, embedder: Embedder) -> Examples | None:
    deadline = Deadline.after(EXAMPLES_S)
    return await embed_examples(embedder, domain_examples(config.router), deadline=deadline)
