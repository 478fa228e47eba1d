"""Where each service of a mesh gives its figures, and the file that tells Prometheus."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Final

from services.cli.ports import LOOPBACK, reachable
from services.cli.state import FOLDER

FILE: Final = "prometheus.json"
"""As `file_sd_configs` of a Prometheus reads it, again whenever it changes."""


def variable(service: str) -> str:
    """The setting of a service that says where it gives its figures."""
    return f"GREMIUM_{service.upper()}_METRICS"


def addresses(
    services: Iterable[str], env: Mapping[str, str], *, ports: Sequence[int] | None
) -> dict[str, str]:
    """`host:port` by service: as the environment says, else one of the ports; empty: nowhere.

    There is a port for each service; None: those give no figures of which the
    environment says nothing.
    """
    own = [f"{LOOPBACK}:{port}" for port in ports] if ports is not None else repeat("")
    return {name: env.get(variable(name), free) for name, free in zip(services, own, strict=False)}


def write(metrics: Mapping[str, str], directory: Path) -> Path | None:
    """Tell Prometheus where to look; None where there is nothing to see."""
    told = [
        {"targets": [reachable(address)], "labels": {"service": service}}
        for service, address in metrics.items()
        if address
    ]
    path = directory / FOLDER / FILE
    if not told:
        path.unlink(missing_ok=True)
        return None
    part = path.with_suffix(".part")
    part.write_text(json.dumps(told, indent=2) + "\n")
    part.replace(path)
    return path


def forget(directory: Path) -> None:
    (directory / FOLDER / FILE).unlink(missing_ok=True)
