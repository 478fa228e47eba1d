"""What models take from this machine: secrets, proxies, a place for notes."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def secret(variable: str, env: Mapping[str, str] = os.environ) -> str:
    """Value of a secret's environment variable; empty when unset or unnamed."""
    return env.get(variable, "").strip() if variable else ""


def proxy_for(url: str) -> str | None:
    """Proxy of the environment for an address; None for this machine's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where this user's programs keep what can be made again."""
    base = env.get("XDG_CACHE_HOME") or env.get("LOCALAPPDATA") or str(Path.home() / ".cache")
    return Path(base) / "gremium"


def data_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where this user's programs keep what was fetched, and would take long to fetch again."""
    base = env.get("XDG_DATA_HOME") or env.get("LOCALAPPDATA") or str(Path.home() / ".local/share")
    return Path(base) / "gremium"


def engine_environment(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Environment of an engine: its threads sleep while they wait.

    Spinning threads of several processes on one machine slow each other tenfold.
    """
    return {**env, "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
