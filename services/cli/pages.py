"""Where the console is served, and whether it is."""

import socket
from collections.abc import Mapping
from contextlib import closing
from typing import Final

from services.cli.errors import MeshError
from services.cli.ports import LOOPBACK, reachable, settle, split

VARIABLE: Final = "GREMIUM_GATEWAY_CONSOLE"
"""The gateway's setting that says where."""
USUAL: Final = f"{LOOPBACK}:50080"
NOWHERE: Final = "none"
CONNECT_S: Final = 1.0


def address(wanted: str | None, env: Mapping[str, str]) -> str:
    """Where to serve it: as wanted, else as the environment says, else as usual; empty: nowhere.

    The usual port gives way to any free one where it is in use; another one
    was chosen, and does not.

    Raises
    ------
    MeshError
        If the address that was chosen is none, or in use.
    """
    chosen = wanted if wanted is not None else env.get(VARIABLE)
    if chosen is None:
        return _usual()
    if chosen in {"", NOWHERE}:
        return ""
    split(chosen)
    try:
        return settle(chosen)
    except MeshError as err:
        raise MeshError(f"no console can be served on {chosen}: choose another --console") from err


def _usual() -> str:
    try:
        return settle(USUAL)
    except MeshError:
        return settle(f"{LOOPBACK}:0")


def told(console: str) -> str:
    """What people are told of it; empty where there is none."""
    if not console:
        return ""
    if not _listens(reachable(console)):
        return f"no console: the gateway does not listen on {console}; its log says why"
    return f"console at http://{reachable(console)}/"


def _listens(place: str) -> bool:
    host, port = split(place)
    try:
        with closing(socket.create_connection((host.strip("[]"), port), timeout=CONNECT_S)):
            return True
    except OSError:
        return False
