"""Runs the whole mesh in this process: the gateway's server around the four other servicers."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aggregator_svc.compose
import judge_svc.compose
import jury_svc.compose
import router_svc.compose
import services.gateway.compose
from services.cli.processes import SERVICES, STAGES
from services.config.slots import service_slots
from services.config.tree import LoadedConfig
from services.gateway.console.opening import console
from services.gateway.mesh import LocalMesh
from services.gateway.model_states import LocalStates
from services.gateway.settings import EdgeSettings
from services.runtime import logs, telemetry
from services.runtime.server import Register, Trouble, running

PREFIX = "GREMIUM_GATEWAY"
SERVICE = "gremium"
MODELS = "gremium.v1.ModelStatusService"


@asynccontextmanager
async def serving_here(
    loaded: LoadedConfig,
    *,
    bind: str,
    engines: Mapping[str, str],
    env: Mapping[str, str],
    log: Path,
) -> AsyncIterator[None]:
    """Serve until the block ends, then drain. Logs to `log`, so that the terminal stays readable."""
    settings = _settings(bind, env)
    logs.setup(SERVICE, logging.FileHandler(log, mode="w", encoding="utf-8"))
    telemetry.setup(SERVICE, env, prefix=PREFIX)
    try:
        async with (
            _composed(loaded, engines, settings) as (register, trouble),
            running(
                settings,
                register,
                services=[SERVICES["gateway"], MODELS],
                slots=service_slots(loaded.config),
                trouble=trouble,
            ),
        ):
            yield
    finally:
        telemetry.shutdown()


@asynccontextmanager
async def _composed(
    loaded: LoadedConfig, engines: Mapping[str, str], settings: EdgeSettings
) -> AsyncIterator[tuple[Register, Trouble]]:
    """What makes a server answer as the gateway does, and tells why that cannot be for a while."""
    async with (
        router_svc.compose.composed(loaded, engines=engines) as router,
        jury_svc.compose.composed(loaded, engines=engines) as jury,
        judge_svc.compose.composed(loaded, engines=engines) as judge,
        aggregator_svc.compose.composed(loaded, engines=engines) as aggregator,
    ):
        mesh = LocalMesh(router=router, jury=jury, judge=judge, aggregator=aggregator)
        states = LocalStates((jury.models, judge.models, aggregator.models))
        async with (
            services.gateway.compose.composed(loaded, mesh=mesh, states=states) as gateway,
            console(settings, loaded, gateway, states),
        ):
            register = partial(services.gateway.compose.register, gateway, states)
            yield register, lambda: gateway.trouble


def _settings(bind: str, env: Mapping[str, str]) -> EdgeSettings:
    """The gateway's own settings; it has no peers to find here."""
    peers = {f"{PREFIX}_{stage.upper()}" for stage in STAGES}
    kept = {key: value for key, value in env.items() if key not in peers}
    return EdgeSettings.from_env(PREFIX, {**kept, f"{PREFIX}_BIND": bind})
