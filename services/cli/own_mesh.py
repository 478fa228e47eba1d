"""Runs a mesh for one question."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.cli import state
from services.cli.mesh import Options, mesh_running
from services.cli.ports import LOOPBACK
from services.cli.progress import Progress
from services.config.choose import choose


@asynccontextmanager
async def own_mesh(config: Path | None, directory: Path) -> AsyncIterator[str]:
    """Yields where its gateway listens; its other files are in `directory`.

    Raises
    ------
    MeshError
        If a mesh runs there already, or this one cannot start.
    """
    state.refuse_second(directory)
    chosen = choose(config, directory=directory, env=os.environ)
    progress = Progress()
    progress.say(chosen.origin)
    options = Options(f"{LOOPBACK}:0", False, directory, dict(os.environ))
    async with mesh_running(chosen.loaded, options, progress) as mesh:
        yield mesh.gateway
