"""The user's shelf: weights by name, one folder for all projects. Nothing on it is overwritten."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.core.errors import BackendError
from services.models.settings import data_folder

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
        If the name cannot be one, is taken, or the file is no GGUF.
    """
    folder = folder or shelf_folder()
    _must_be_a_name(name)
    _must_be_gguf(entry.path)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _note(name, folder).open("x", encoding="utf-8") as file:
            file.write(entry.model_dump_json(indent=2) + "\n")
    except FileExistsError as err:
        raise _refused(f"{name} is on the shelf already; remove {_note(name, folder)}") from err


def _must_be_a_name(name: str) -> None:
    if not NAME.fullmatch(name) or name.endswith(".gguf"):
        raise _refused(
            f"{name!r} is no name: small letters, digits, dots and dashes, not a file's name"
        )


def _must_be_gguf(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
            raise _refused(f"{path.name} is no GGUF file")


def _note(name: str, folder: Path) -> Path:
    return folder / f"{name}.json"


def _read(note: Path) -> Shelved | None:
    try:
        return Shelved.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        return None


def _refused(message: str) -> BackendError:
    return BackendError(message, cause="WEIGHTS_INVALID", sent=False)
