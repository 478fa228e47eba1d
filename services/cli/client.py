"""Finds a mesh that runs, and calls it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gremium.v1.ensemble_pb2_grpc import EnsembleServiceStub
from services.cli import state
from services.cli.errors import MeshError
from services.cli.health import is_serving
from services.cli.processes import SERVICES
from services.runtime.channels import open_channel


async def find_mesh(address: str | None, *, directory: Path) -> str | None:
    """Address of a gateway that serves: the given one, this folder's, or the usual one."""
    running = state.read(directory)
    wanted = address or (running.gateway if running else state.DEFAULT_BIND)
    return wanted if await is_serving(wanted, SERVICES["gateway"]) else None


@asynccontextmanager
async def connected(address: str | None, *, directory: Path) -> AsyncIterator[EnsembleServiceStub]:
    """A stub for a mesh that runs.

    Raises
    ------
    MeshError
        If none does.
    """
    found = await find_mesh(address, directory=directory)
    if found is None:
        where = f"at {address}" if address else f"in this folder or at {state.DEFAULT_BIND}"
        raise MeshError(
            f"no mesh serves {where}; start one with `gremium up`,"
            " or for one question with `gremium ask --start`"
        )
    async with open_channel(found, service=SERVICES["gateway"]) as channel:
        yield EnsembleServiceStub(channel)
