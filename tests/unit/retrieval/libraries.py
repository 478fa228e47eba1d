"""Folders of documents, and searches in them."""

from contextlib import asynccontextmanager
from pathlib import Path

from services.config.steps import Retrieval
from services.config.tree import Config, LoadedConfig
from services.core.deadline import Deadline
from services.retrieval.shelves import open_shelves

BEES = "# Honey\n\nBees make honey from nectar.\n"
TAX = "# Tax\n\nThe form is due in April.\n"
MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5}


@asynccontextmanager
async def library(folder: Path, *, embeddings="none", passages=2):
    where = Retrieval(folder=folder.name, passages=passages)
    step = {"retrieval": where.model_dump()}
    graph = {"pattern": "specialists", "steps": {"search": step}}
    config = Config(
        models={"m": MODEL}, ensembles={"main": graph}, embeddings={"backend": embeddings}
    )
    loaded = LoadedConfig(config=config, path=folder.parent / "gremium.yaml", sha256="0" * 64)
    async with open_shelves(loaded) as shelves:

        async def search(query, *, within_s=60.0):
            return await shelves.search(where, query, deadline=Deadline.after(within_s))

        yield search


def sources(index, query):
    return [found.source for found in index.passages(index.by_words(query, 10))]
