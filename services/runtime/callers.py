"""Who a call is made for: named by its metadata, carried to every service that works on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import unquote

CALLER: Final = "gremium-caller"
"""Metadata in which a caller names itself; without it, its host counts."""
MAX_NAME: Final = 128

_caller: ContextVar[str] = ContextVar("caller", default="")


def current_caller() -> str:
    """Who the current call is made for; empty outside of any."""
    return _caller.get()


@contextmanager
def serving_for(caller: str) -> Iterator[None]:
    """Make the calls of this block for `caller`."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def caller_of(headers: Mapping[str, str], context: Any) -> str:
    """Who makes a call: the name in its metadata, else the host that it comes from."""
    return headers.get(CALLER, "").strip()[:MAX_NAME] or _host(context.peer() or "")


def caller_headers() -> tuple[tuple[str, str], ...]:
    """Metadata that names the current caller to the next service."""
    caller = current_caller()
    return ((CALLER, caller),) if caller else ()


def _host(peer: str) -> str:
    """Host of a peer as gRPC writes it.

    Examples
    --------
    >>> _host("ipv4:10.0.0.7:50210"), _host("ipv6:%5B::1%5D:50210"), _host("unix:local")
    ('10.0.0.7', '::1', 'unix:local')
    """
    kind, _, address = unquote(peer).partition(":")
    if kind not in {"ipv4", "ipv6"}:
        return peer[:MAX_NAME]
    return address.rpartition(":")[0].strip("[]")[:MAX_NAME]
