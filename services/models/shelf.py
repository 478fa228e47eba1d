"""The user's shelf: weights by name, one folder for all projects. Nothing on it is overwritten."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.core.errors import BackendError
from services.models.catalog import invalid, must_be_free
from services.models.settings import data_folder
from services.models.weights import verify

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
GGUF_MAGIC: Final = b"GGUF"


class Shelved(BaseModel):
    """Weights that have a name on this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    """Absolute."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    family: str = ""
    """What it was trained as; empty: not said."""


def shelf_folder() -> Path:
    """Where names and fetched weights are kept."""
    return data_folder() / "models"


def shelved(folder: Path | None = None) -> dict[str, Shelved]:
    """Everything on the shelf, by name. Notes that cannot be read are left out."""
    notes = sorted((folder or shelf_folder()).glob("*.json"))
    found = {note.stem: _read(note) for note in notes}
    return {name: entry for name, entry in found.items() if entry is not None}


def find(name: str, folder: Path | None = None) -> Shelved | None:
    """The entry of that name; None if there is none."""
    return _read(_note(name, folder or shelf_folder())) if NAME.fullmatch(name) else None


def put(name: str, entry: Shelved, folder: Path | None = None) -> None:
    """Give weights a name.

    Raises
    ------
    BackendError
        If the name cannot be one, is taken, means other weights, or the file is no GGUF.
    """
    folder = folder or shelf_folder()
    _must_be_a_name(name)
    must_be_free(name, entry.sha256)
    _must_be_gguf(entry.path)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _note(name, folder).open("x", encoding="utf-8") as file:
            file.write(entry.model_dump_json(indent=2) + "\n")
    except FileExistsError as err:
        raise invalid(f"{name} is on the shelf already; remove {_note(name, folder)}") from err


def must_be_sound(name: str, entry: Shelved, sha256: str) -> None:
    """Check that an entry is what its name promises.

    Raises
    ------
    BackendError
        If its file is gone, or has another digest than `sha256`.
    """
    try:
        verify(entry.path, sha256)
    except BackendError as err:
        raise invalid(
            f"{name} is on the shelf, but {err}; remove {_note(name, shelf_folder())}"
        ) from err


def _must_be_a_name(name: str) -> None:
    if not NAME.fullmatch(name) or name.endswith(".gguf"):
        raise invalid(
            f"{name!r} is no name: small letters, digits, dots and dashes, not a file's name"
        )


def _must_be_gguf(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
            raise invalid(f"{path.name} is no GGUF file")


def _note(name: str, folder: Path) -> Path:
    return folder / f"{name}.json"


def _read(note: Path) -> Shelved | None:
    try:
        return Shelved.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        return None
