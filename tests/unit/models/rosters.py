"""Scripted providers over real sockets, and a roster that asks them."""

import hashlib
from contextlib import asynccontextmanager
from pathlib import Path

from services.config.tree import Config, LoadedConfig
from services.core.answers import ModelRequest
from services.core.deadline import Deadline
from services.core.prompts import Message, Prompt
from services.models.asking import ask
from services.models.roster import open_roster
from tests.upstream import upstream


def prompt(text="6 x 7?", **more):
    return Prompt((Message("user", (text,)),), **more)


def request(text="6 x 7?", *, instruction="", **more):
    return ModelRequest(prompt(text, **more), instruction=instruction)


def loaded(models, *, folder=Path(), embeddings=None):
    """A configuration of these models, each with a family and a timeout."""
    common = {"family": "test", "timeout_s": 5.0}
    first = next(iter(models))
    config = Config.model_validate(
        {
            "models": {name: {**common, "backend": "openai", **m} for name, m in models.items()},
            "ensembles": {"default": {"pattern": "jury", "jurors": [{"model": first}]}},
            "embeddings": embeddings or {},
        }
    )
    return LoadedConfig(
        config=config, path=folder / "gremium.yaml", sha256=hashlib.sha256(b"").hexdigest()
    )


@asynccontextmanager
async def roster_of(models, *, folder=Path(), engines=None):
    async with open_roster(loaded(models, folder=folder), engines=engines or {}) as roster:
        yield roster


@asynccontextmanager
async def asking(script=None, *, model="m", **spec):
    """A scripted provider and a function that asks its model."""
    async with upstream(script) as server:
        entry = {"base_url": server.url, "model": model, **spec}
        async with roster_of({"m": entry}) as roster:

            async def put(wanted=None, *, timeout_s=5.0, left_s=10.0, attempt=None):
                return await ask(
                    roster.get("m"),
                    wanted or request(),
                    deadline=Deadline.after(left_s),
                    timeout_s=timeout_s,
                    attempt=attempt,
                )

            put.roster = roster
            yield server, put
