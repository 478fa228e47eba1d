"""Looks for the folders that steps search: what a configuration needs beside itself."""

import os
from collections.abc import Iterator
from pathlib import Path

from services.config.document import Loc
from services.config.graphs import specialists
from services.config.tree import Config


def folder_faults(config: Config, directory: Path) -> Iterator[tuple[Loc, str]]:
    """Places that name a folder which is not there, or cannot be read, seen from `directory`."""
    for name, ensemble in specialists(config.ensembles).items():
        doers = [
            *((("steps", one), step.retrieval) for one, step in ensemble.steps.items()),
            *((("specialists", one), who.retrieval) for one, who in ensemble.specialists.items()),
        ]
        for within, retrieval in doers:
            if retrieval is None:
                continue
            folder = (directory / retrieval.folder).resolve()
            if not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
                at: Loc = ("ensembles", name, *within, "retrieval", "folder")
                yield at, f"there is no folder {folder} that can be read"
