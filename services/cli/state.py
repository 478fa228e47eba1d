"""What runs: kept in `.gremium/mesh.json`, so that other commands find the mesh."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from services.cli.errors import MeshError
from services.cli.ports import LOOPBACK

DEFAULT_BIND: Final = f"{LOOPBACK}:50051"
FOLDER: Final = ".gremium"


@dataclass(frozen=True, slots=True)
class Running:
    """A mesh that serves."""

    gateway: str
    """`host:port` that clients call."""
    config: str
    """Path of its configuration."""
    services: dict[str, dict[str, Any]]
    """Address and process id by service."""
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Address and process id by local model."""
    one_process: bool = False
    console: str = ""
    """`host:port` of the web page; empty: there is none."""
    supervisor: int = field(default_factory=os.getpid)
    """Process id of `gremium up`."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def write(running: Running, directory: Path) -> None:
    path = _path(directory)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(running.to_json() + "\n")
    part.replace(path)


def read(directory: Path) -> Running | None:
    """The mesh that was started in this folder last, if its supervisor still runs."""
    try:
        running = Running(**json.loads(_path(directory).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return running if _is_alive(running.supervisor) else None


def refuse_second(directory: Path) -> None:
    """Raise MeshError if a mesh already runs in this folder: they would share logs and ledger."""
    running = read(directory)
    if running is not None:
        raise MeshError(
            f"a mesh already runs in {directory}: process {running.supervisor}, "
            f"at {running.gateway}; stop it, or start this one in another folder"
        )


def forget(directory: Path) -> None:
    """Remove the record, unless another mesh has put its own there."""
    running = read(directory)
    if running is None or running.supervisor == os.getpid():
        _path(directory).unlink(missing_ok=True)


def _path(directory: Path) -> Path:
    return directory / FOLDER / "mesh.json"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
