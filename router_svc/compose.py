"""Put the router together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from router_svc.catalog import domain_examples, ensemble_profiles, uses_domains
from router_svc.learned import Learned
from router_svc.reading import Examples, Reader, embed_examples
from router_svc.recording import Recorder
from router_svc.service import RouterServicer
from router_svc.swapping import swapping
from services.config.graphs import specialists
from services.config.tree import Config, LoadedConfig
from services.core.deadline import Deadline
from services.models.backend import RosterModel
from services.models.embeddings import Embedder
from services.models.late_embedder import LateEmbedder
from services.routing.configured import embedding_name, routing_of

EXAMPLES_S: Final = 60.0
"""Longest time to embed the examples of the domains at start."""


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, engines: Mapping[str, str], plans: bool = True
) -> AsyncIterator[RouterServicer]:
    """The router of a configuration; `engines` holds the address of each local model's engine.

    It asks no model unless an ensemble names a planner, and opens none then; nor
    with `plans` unset, where planners have to be left alone.

    Raises
    ------
    ConfigError
        If the trained router that is configured cannot be used.
    """
    config = loaded.config
    learned = Learned(routing_of(loaded), models=config.models)
    async with (
        AsyncExitStack() as opened,
        _planners(loaded, engines if plans else None) as planners,
    ):
        embedder = LateEmbedder(loaded, opened)
        reader = await _reader(loaded, learned, embedder)
        async with swapping(loaded, learned, embedder):
            yield RouterServicer(
                ensemble_profiles(config),
                reader,
                planners=planners,
                min_on_time=config.router.min_on_time,
            )


@asynccontextmanager
async def _planners(
    loaded: LoadedConfig, engines: Mapping[str, str] | None
) -> AsyncIterator[Mapping[str, RosterModel]]:
    """The models that plan; where none does, nobody's key is needed here, nor what calls models."""
    graphs = specialists(loaded.config.ensembles).values()
    names = {graph.planner.model for graph in graphs if graph.planner}
    if not names or engines is None:
        yield {}
        return
    from services.models.roster import open_roster  # noqa: PLC0415 - takes long to load
    from services.models.states import ModelStatusServicer  # noqa: PLC0415 - same

    async with open_roster(loaded, engines=engines, service="router") as roster:
        ModelStatusServicer("router", roster).measure()
        yield {name: roster.get(name) for name in names}


async def _reader(loaded: LoadedConfig, learned: Learned, embedder: LateEmbedder) -> Reader:
    """A reader; it embeds, at some milliseconds a prompt, only where that is of use."""
    config = loaded.config
    has_domains, record = uses_domains(config), config.router.record
    if has_domains or learned.current or record == "embedding":
        await embedder.open()
    return Reader(
        embedder,
        await _examples(config, embedder) if has_domains else None,
        learned=learned,
        recorder=Recorder(record, embedding_name(config.embeddings)),
        looks_for_domains=has_domains,
        min_similarity=config.router.min_domain_similarity,
        timeout_s=config.embeddings.timeout_s,
    )


async def _examples(config: Config, embedder: Embedder) -> Examples | None:
    deadline = Deadline.after(EXAMPLES_S)
    return await embed_examples(embedder, domain_examples(config.router), deadline=deadline)
