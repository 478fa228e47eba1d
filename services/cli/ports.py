"""Addresses to listen on: which are free, and how clients reach them."""

import errno
import re
import socket
from contextlib import ExitStack
from typing import Final

from services.cli.errors import MeshError

LOOPBACK: Final = "127.0.0.1"
ANY: Final = {"0.0.0.0": LOOPBACK, "[::]": LOOPBACK, "": LOOPBACK}
"""Where to reach a server that listens on every interface."""
HOST: Final = re.compile(r"[\w.-]+|\[[\w:.%]+\]")
"""A name, an IPv4 address, or an IPv6 address in brackets."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def settle(bind: str) -> str:
    """The address to listen on, port 0 replaced by a free one.

    Raises
    ------
    MeshError
        If it is no address of this machine, or in use.
    """
    host, port = split(bind)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host.strip("[]"), port))
        except OSError as err:
            raise MeshError(_refusal(bind, err)) from err
        return f"{host}:{trial.getsockname()[1]}"


def reachable(bind: str) -> str:
    """Where a client on this machine reaches what listens on `bind`."""
    host, port = split(bind)
    return f"{ANY.get(host, host)}:{port}"


def split(bind: str) -> tuple[str, int]:
    """Host and port.

    Raises
    ------
    MeshError
        If it is not of the form `host:port`.
    """
    host, _, port = bind.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535
    if not is_port or not HOST.fullmatch(host):
        raise MeshError(f"{bind!r} is no address; it must be host:port, such as {LOOPBACK}:50051")
    return host, int(port)


def _refusal(bind: str, err: OSError) -> str:
    if err.errno == errno.EADDRINUSE:
        return (
            f"{bind} is in use, perhaps by a mesh that already runs; "
            "stop it, or choose another address with --bind"
        )
    return f"cannot listen on {bind}: {err.strerror}"
