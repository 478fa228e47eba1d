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
        for step_id, step in ensemble.steps.items():
            if step.retrieval is None:
                continue
            folder = (directory / step.retrieval.folder).resolve()
            if not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
                at: Loc = ("ensembles", name, "steps", step_id, "retrieval", "folder")
                yield at, f"there is no folder {folder} that can be read"
