"""Decides which services run as processes, and what each is told. Nothing is started here."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from services.cli.child import Process

SERVICES: Final = {
    "router": "gremium.v1.RouterService",
    "jury": "gremium.v1.JuryService",
    "judge": "gremium.v1.JudgeService",
    "aggregator": "gremium.v1.AggregatorService",
    "gateway": "gremium.v1.EnsembleService",
}
"""Full gRPC name by service; the gateway last, as it needs the others."""
STAGES: Final = ("router", "jury", "judge", "aggregator")
ASKS_MODELS: Final = ("router", "jury", "judge", "aggregator")
DRAIN_S: Final = 30.0
"""What a service takes to drain, unless its settings say otherwise."""
STOP_MARGIN_S: Final = 3.0


def service_processes(
    config: Path,
    *,
    addresses: Mapping[str, str],
    gateway_bind: str,
    engines: Mapping[str, str],
    metrics: Mapping[str, str],
    env: Mapping[str, str],
) -> tuple[Process, ...]:
    """The five services as processes.

    `addresses` gives `host:port` by service, `engines` the base address by
    local model, `metrics` where each service gives its figures, `env` the
    environment that all of them inherit.
    """
    peers = {stage: addresses[stage] for stage in STAGES}
    listed = ",".join(f"{name}={address}" for name, address in engines.items())
    own: dict[str, dict[str, str]] = {
        stage: {"bind": addresses[stage]} | ({"engines": listed} if stage in ASKS_MODELS else {})
        for stage in STAGES
    }
    own["gateway"] = {"bind": gateway_bind, **peers}
    common = {"config": str(config)}
    return tuple(
        _process(
            name,
            settings={**common, **own[name], "metrics": metrics[name]},
            address=addresses[name],
            env=env,
        )
        for name in SERVICES
    )


def _process(
    name: str, *, settings: Mapping[str, str], address: str, env: Mapping[str, str]
) -> Process:
    kind: Literal["stage", "gateway"] = "gateway" if name == "gateway" else "stage"
    module = "services.gateway" if kind == "gateway" else f"{name}_svc"
    prefix = f"GREMIUM_{name.upper()}"
    told = {f"{prefix}_{key.upper()}": value for key, value in settings.items() if value}
    return Process(
        name=name,
        kind=kind,
        command=(sys.executable, "-m", module),
        env={**env, **told, "PYTHONUNBUFFERED": "1"},
        address=address,
        health=SERVICES[name],
        metrics=settings["metrics"],
        stop_limit_s=_drain_s(env.get(f"{prefix}_DRAIN_S", "")) + STOP_MARGIN_S,
    )


def _drain_s(text: str) -> float:
    """What the service will read; a value that it refuses does not matter here."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return DRAIN_S
