"""Reads `gremium.yaml`, and lists everything that is wrong with it at once."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.config.document import Document, Loc, YamlError, parse
from services.config.explain import explain
from services.config.folders import folder_faults
from services.config.graphs import graph_faults
from services.config.places import dotted, place
from services.config.problems import ConfigError, Problem
from services.config.references import unknown_references
from services.config.secrets import HINT, inline_secrets
from services.config.tree import Config, LoadedConfig


def load(path: Path, *, with_folders: bool = False) -> LoadedConfig:
    """Read a configuration; `with_folders` looks for the folders that its steps search, too.

    In containers only the gateway has these, so the other services do not look.

    Raises
    ------
    ConfigError
        If the file cannot be read, or says anything that it may not.
    """
    content = _read(path)
    document = _parsed(path, content)
    config, faults = _checked(document)
    if config is not None and with_folders:
        faults += folder_faults(config, path.absolute().parent)
    found = {Problem(path, document.line(loc), _worded(loc, message)) for loc, message in faults}
    found |= {Problem(path, line, f"`{key}` stands twice") for line, key in document.duplicates}
    if found or config is None:
        raise ConfigError(*sorted(found, key=lambda problem: (problem.line, problem.message)))
    return LoadedConfig(
        config=config, path=path.absolute(), sha256=hashlib.sha256(content).hexdigest()
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as err:
        raise ConfigError(Problem(path, 1, "there is no such file")) from err
    except OSError as err:
        raise ConfigError(Problem(path, 1, f"cannot be read: {err.strerror}")) from err


def _parsed(path: Path, content: bytes) -> Document:
    try:
        return parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        raise ConfigError(Problem(path, line, "is not UTF-8 text")) from err
    except YamlError as err:
        raise ConfigError(Problem(path, err.line, str(err))) from err


def _checked(document: Document) -> tuple[Config | None, list[tuple[Loc, str]]]:
    """The configuration if it is valid, and what is wrong with it."""
    secrets = list(inline_secrets(document.data))
    references = unknown_references(document.data)
    faults = [*((loc, HINT) for loc in secrets), *references]
    try:
        config = Config.model_validate(document.data)
    except ValidationError as err:
        found = _explained(err, document.data)
        told = {loc for loc, _ in faults}
        return None, [
            *faults,
            *(fault for fault in found if fault[0] not in told and (fault[0] or not references)),
        ]
    return config, [*faults, *graph_faults(config)]


def _explained(err: ValidationError, data: Any) -> Iterator[tuple[Loc, str]]:
    for error in err.errors(include_url=False):
        message = explain(error, data)
        if message is not None:
            yield _place(error["type"], error["loc"]), message


def _place(kind: str, loc: Loc) -> Loc:
    """Where to point: the key at fault, or the section that lacks one."""
    match kind, loc:
        case ("missing", (*outer, _)) | (_, (*outer, "[key]")):
            return place(tuple(outer))
        case ("union_tag_invalid", _):
            return (*loc, "pattern")
        case _:
            return place(loc)


def _worded(loc: Loc, message: str) -> str:
    return f"{dotted(loc)}: {message}" if loc else message
