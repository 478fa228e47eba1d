"""Which local models a configuration asks, and the processes that serve them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from services.cli.child import Process
from services.cli.ports import LOOPBACK, free_ports
from services.config.tree import Config, LoadedConfig
from services.models.local import engine_plan
from services.models.settings import engine_environment

STOP_LIMIT_S = 5.0


def engine_processes(loaded: LoadedConfig, *, env: Mapping[str, str]) -> tuple[Process, ...]:
    """One engine per local model in use. Checks the weights.

    Raises
    ------
    BackendError
        If weights are missing or have another digest.
    """
    names = local_models(loaded.config)
    return tuple(
        _process(name, loaded, port=port, env=env)
        for name, port in zip(names, free_ports(len(names)), strict=True)
    )


def base_addresses(engines: tuple[Process, ...]) -> dict[str, str]:
    """Base address of the API by model."""
    return {engine.name: f"http://{engine.address}" for engine in engines}


def local_models(config: Config) -> list[str]:
    """Names of the local models that some ensemble may ask, in the roster's order."""
    asked = {
        *(j.model for e in config.ensembles.values() for t in e.tiers for j in t.jurors),
        *(name for e in config.ensembles.values() for name in e.beside_jurors),
    }
    recorded = {config.models[name].record for name in asked}
    return [
        name
        for name, model in config.models.items()
        if model.backend == "local" and name in asked | recorded
    ]


def _process(name: str, loaded: LoadedConfig, *, port: int, env: Mapping[str, str]) -> Process:
    plan = engine_plan(loaded.config.models[name], _folder(loaded))
    own = ["--host", LOOPBACK, "--port", str(port), "--parent", str(os.getpid())]
    return Process(
        name=name,
        kind="engine",
        command=(sys.executable, "-m", "services.models.engine", *plan.arguments(), *own),
        env=engine_environment(env),
        address=f"{LOOPBACK}:{port}",
        health="",
        stop_limit_s=STOP_LIMIT_S,
    )


def _folder(loaded: LoadedConfig) -> Path:
    return loaded.path.parent
