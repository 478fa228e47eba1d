"""Files of what was learned: checked when read, whole when written."""

import json
import pathlib
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


def read_artefact(
    path: pathlib.Path, adapter: TypeAdapter[T], *, most_bytes: int, error: type[ValueError]
) -> tuple[T, object]:
    """What a file holds, and the id that it gives itself.

    Raises
    ------
    ValueError
        As `error`: if the file is missing, too large, no JSON, or breaks a
        limit. It tells file, field and limit.
    """
    loaded = _loaded(path, most_bytes, error)
    given = loaded.pop("id", None)
    try:
        return adapter.validate_python(loaded), given
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise error(f"{path}: {where}: {first['msg'].lower()}") from err


def write_artefact(path: pathlib.Path, content: dict[str, Any], *, indent: int) -> None:
    """Write a file; the old one stays until the new one is whole."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(content, indent=indent, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def _loaded(path: pathlib.Path, most_bytes: int, error: type[ValueError]) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        loaded = json.loads(path.read_text(encoding="utf-8")) if size <= most_bytes else None
    except (OSError, ValueError) as err:
        raise error(f"{path}: cannot be read: {err}") from err
    if size > most_bytes:
        raise error(f"{path}: has {size} bytes; at most {most_bytes} are allowed")
    if not isinstance(loaded, dict):
        raise error(f"{path}: holds {type(loaded).__name__}; an object is needed")
    return loaded
