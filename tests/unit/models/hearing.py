"""A scripted provider that streams, and somebody who listens."""

from contextlib import asynccontextmanager

from services.models.asked import Attempt
from services.models.listening import Listener
from tests.unit.models.rosters import asking

SENTENCE = "The capital of France is Paris, of course."


@asynccontextmanager
async def streaming(reply, backend="openai", **spec):
    """A provider, and a function that asks it and tells what was heard meanwhile."""
    async with asking({"m": reply}, backend=backend, **spec) as (server, put):

        async def hear(wanted=None, *, at_once=False, **limits):
            heard = []
            attempt = Attempt(listener=Listener(heard.append, at_once=at_once))
            return await put(wanted, attempt=attempt, **limits), heard

        yield server, put, hear
