"""Configurations made from the models that an Ollama on this machine has."""

import json
import re
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Final

import yaml

from services.config.hosted import Tree

EMBEDDED: Final = Path(__file__).with_name("embedded.yaml")
ADDRESS: Final = "127.0.0.1:11434"
LIMIT_S: Final = 0.3
"""Longest time to wait for Ollama, which is usually not there."""
MAX_BYTES: Final = 1 << 20
NO_CHAT: Final = ("bert", "embed", "minilm", "clip")
"""Parts of the names and families of models that do not chat."""
MOST_JURORS: Final = 3
MOST_JUDGES: Final = 2
TIMEOUT_S: Final = 120
"""Ollama loads a model before its first answer."""
DEFAULT_TIMEOUT_S: Final = 240


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that Ollama has on its disk."""

    model: str
    """As Ollama calls it, such as `llama3.2:3b`."""
    family: str
    size_bytes: int

    @property
    def name(self) -> str:
        """Its name in the roster."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.model).strip("._-")[:128]


def installed(address: str) -> list[Installed]:
    """Chat models of the Ollama at `host:port`, largest first; none if there is no Ollama."""
    try:
        listed = json.loads(_get(address, "/api/tags"))
        models = [_installed(entry) for entry in listed["models"] if "remote_host" not in entry]
    except (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError):
        return []  # whatever listens there is no Ollama that could help
    chatting = {model.name: model for model in models if model.name and _chats(model)}
    return sorted(chatting.values(), key=lambda model: (-model.size_bytes, model.name))


def from_installed(models: list[Installed], *, address: str) -> Tree:
    """A configuration that asks these models, largest first; at least one."""
    jurors = _jurors(models)
    judges = [model.name for model in models if model not in jurors][:MOST_JUDGES]
    used = dict.fromkeys([*(m.name for m in jurors), *judges, models[-1].name, models[0].name])
    return {
        "version": 1,
        "models": {m.name: _spec(m, models, address) for m in models if m.name in used},
        "ensembles": {"default": _jury(jurors, judges), "quick": _cascade(models)},
    }


def _get(address: str, path: str) -> bytes:
    until = time.monotonic() + LIMIT_S
    connection = HTTPConnection(address, timeout=LIMIT_S)
    try:
        connection.request("GET", path)
        return _read(connection.getresponse(), until)
    finally:
        connection.close()


def _read(response: HTTPResponse, until: float) -> bytes:
    """Read a reply that may come in drops, but not for ever."""
    body = b""
    while (part := response.read1(1 << 16)) and len(body) < MAX_BYTES:
        body += part
        if time.monotonic() > until:
            raise TimeoutError
    return body


def _installed(entry: Any) -> Installed:
    model = str(entry["model"])
    told = str((entry.get("details") or {}).get("family") or model.rpartition("/")[2])
    kin = re.match(r"[a-z]+", told.lower())
    return Installed(model, kin.group() if kin else told, int(entry.get("size") or 0))


def _chats(model: Installed) -> bool:
    return not any(part in f"{model.model} {model.family}".lower() for part in NO_CHAT)


def _jurors(models: list[Installed]) -> list[Installed]:
    """The largest model of each family; with one family only, its largest models."""
    of_family: dict[str, Installed] = {}
    for model in models:
        of_family.setdefault(model.family, model)
    chosen = list(of_family.values()) if len(of_family) > 1 else models
    return chosen[:MOST_JURORS]


def _spec(model: Installed, models: list[Installed], address: str) -> Tree:
    return {
        "backend": "openai",
        "model": model.model,
        "family": model.family,
        "provider": "ollama",
        "base_url": f"http://{address}/v1",
        "timeout_s": TIMEOUT_S,
        "context_tokens": 4096,
        "adequacy": 0.7 if model == models[0] else 0.5,
    }


def _jury(jurors: list[Installed], judges: list[str]) -> Tree:
    return {
        "pattern": "jury",
        "description": "Models that Ollama has on this machine answer together.",
        "default_timeout_s": DEFAULT_TIMEOUT_S,
        "jurors": _asked(jurors),
        "judge": {"models": judges, "timeout_s": 60} if judges else {},
    }


def _asked(jurors: list[Installed]) -> list[Tree]:
    """One juror per model; a model that is alone is asked in several ways."""
    if len(jurors) > 1:
        return [{"model": juror.name} for juror in jurors]
    ways = yaml.safe_load(EMBEDDED.read_text(encoding="utf-8"))["ensembles"]["default"]["jurors"]
    return [{**way, "model": jurors[0].name} for way in ways]


def _cascade(models: list[Installed]) -> Tree:
    ends = list(dict.fromkeys([models[-1].name, models[0].name]))
    return {
        "pattern": "route",
        "description": "The smallest of Ollama's models answers what it can, the largest the rest.",
        "default_timeout_s": DEFAULT_TIMEOUT_S,
        "tiers": [{"name": name, "jurors": [{"model": name}]} for name in ends],
        "judge": {},
    }
