"""Finds the configuration to use when nobody wrote one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from services.config import hosted, ollama, schema
from services.config.hosted import Tree
from services.config.load import load
from services.config.tree import LoadedConfig

FILE_NAME: Final = "gremium.yaml"
STATE: Final = ".gremium"
"""Folder of everything that gremium makes by itself."""
HEADER: Final = f"""\
# yaml-language-server: $schema={schema.FILE_NAME}
# {{origin}}
# Made anew at each start. To keep and change it, copy it to ../{FILE_NAME}.

"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A configuration, and why it is this one."""

    loaded: LoadedConfig
    origin: str
    """A sentence for people."""
    is_own: bool
    """Whether somebody wrote it; else it was made here, and is made anew at each start."""


def choose(
    path: Path | None,
    *,
    directory: Path,
    env: Mapping[str, str],
    ollama_address: str = ollama.ADDRESS,
) -> Chosen:
    """Load the configuration to use.

    It is the file at `path` or `gremium.yaml` in `directory`; else one made
    from the API keys in `env`, from what Ollama has installed, or for the
    embedded model. A made one is written to `.gremium/gremium.yaml`, so that
    every process reads the same bytes.

    Raises
    ------
    ConfigError
        If the file is missing or wrong, or a folder that it names is not here.
    OSError
        If a made configuration cannot be written.
    """
    own = path or directory / FILE_NAME
    if path or own.exists() or own.is_symlink():
        return Chosen(load(own, with_folders=True), f"Read from {own}.", is_own=True)
    text, origin = _made(env, ollama_address)
    made = _written(directory / STATE, HEADER.format(origin=origin) + text)
    return Chosen(load(made), origin, is_own=False)


def _made(env: Mapping[str, str], ollama_address: str) -> tuple[str, str]:
    """Text of a configuration, and where it comes from."""
    if keys := hosted.keys_in(env):
        return _text(hosted.from_keys(keys)), f"No {FILE_NAME}; found {_and(keys)}."
    if models := ollama.installed(ollama_address):
        made = ollama.from_installed(models, address=ollama_address)
        return _text(made), f"No {FILE_NAME} and no API key; found Ollama at {ollama_address}."
    origin = f"No {FILE_NAME}, no API key, no Ollama: a small embedded model answers."
    return ollama.EMBEDDED.read_text(encoding="utf-8"), origin


def _text(made: Tree) -> str:
    in_folder = made | {
        "ledger": {"path": "ledger.sqlite", "texts": "answers"},
        "router": {"shelf": "routers"},
    }
    return yaml.safe_dump(in_folder, sort_keys=False, allow_unicode=True, width=100)


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _written(folder: Path, text: str) -> Path:
    """Write a made configuration, and its schema for editors beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / schema.FILE_NAME, schema.schema())
    return _replace(folder / FILE_NAME, text)


def _replace(path: Path, text: str) -> Path:
    """Replace a file at once, so that no reader sees half of it."""
    draft = path.with_suffix(".draft")
    try:
        draft.write_text(text, encoding="utf-8")
    except OSError as err:  # a full disk does not say which file it has no place for
        raise OSError(err.errno, err.strerror, str(draft)) from err
    return draft.replace(path)
