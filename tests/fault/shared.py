"""What modules of this folder share: one provider and one mesh with the juries of them all.

A module takes part that has `shared_juries(places)`, which gives models and ensembles,
and `SCRIPT`, if its models do what the stub does not know by their names. Only
modules of which a test runs take part. One that starts fixtures `provider`,
`mesh` or `gateway` of its own has those.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.collector import environment
from tests.fault.five import config
from tests.fault.meters import Meters
from tests.fault.stubs import Mode, dead_port, deaf_port
from tests.running import Mesh, mesh_running


@dataclass(frozen=True)
class Places:
    """Base addresses of a provider that answers, of a port that refuses, and of one that is silent."""

    url: str
    nowhere: str
    deaf: str


def script(modules: Iterable[ModuleType]) -> dict[str, Mode]:
    """What the models of all modules do."""
    return {name: mode for each in modules for name, mode in getattr(each, "SCRIPT", {}).items()}


@contextmanager
def mesh_of(
    modules: Iterable[ModuleType], url: str, folder: Path, collector, meters: Meters
) -> Iterator[Mesh]:
    """A mesh with the juries of all modules, whose spans and figures are collected."""
    env = environment(collector) | meters.environment()
    with dead_port() as nowhere, deaf_port() as deaf:
        places = Places(url, nowhere, deaf)
        parts = [part for each in modules for part in each.shared_juries(places)]
        with mesh_running(folder, config(parts, url), env=env) as mesh:
            yield mesh


def takes_part(item: pytest.Item) -> bool:
    """Whether a test is of a module that has juries in the shared mesh."""
    return hasattr(getattr(item, "module", None), "shared_juries")
