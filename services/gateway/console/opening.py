"""Opens the console where one is asked for; who asks for none does not load it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.config.tree import LoadedConfig
from services.gateway.model_health import States
from services.gateway.service import EnsembleServicer
from services.gateway.settings import EdgeSettings


@dataclass(frozen=True, slots=True)
class Console:
    """A console that serves, or none."""

    port: int | None = None
    """None: there is none."""
    leave: Callable[[], None] = lambda: None
    """Begins to end it: nothing new is taken, and pages that follow something end."""


@asynccontextmanager
async def console(
    settings: EdgeSettings, loaded: LoadedConfig, servicer: EnsembleServicer, states: States
) -> AsyncIterator[Console]:
    """Serve pages until the block ends, if the settings say where."""
    if not settings.console:
        yield Console()
        return
    from services.gateway.console.serving import serving  # noqa: PLC0415 - loads a web server

    async with serving(settings, loaded, servicer, states) as served:
        yield served
