"""Addresses are checked before anything starts."""

import socket

import pytest

from services.cli.errors import MeshError
from services.cli.ports import free_ports, reachable, settle


def test_free_ports_differ():
    assert 20 == len(set(free_ports(20)))


def test_port_0_takes_a_free_one():
    host, _, port = settle("127.0.0.1:0").rpartition(":")

    assert ("127.0.0.1", True) == (host, int(port) > 0)


def test_an_address_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(MeshError, match=f"{bind} is in use.*--bind"):
            settle(bind)


@pytest.mark.parametrize("bind", ["", "50051", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:70000"])
def test_what_is_no_address_is_refused(bind):
    with pytest.raises(MeshError, match="must be host:port"):
        settle(bind)


def test_who_listens_everywhere_is_reached_on_loopback():
    assert ["127.0.0.1:1", "127.0.0.1:2", "10.0.0.1:3"] == [
        reachable(bind) for bind in ("0.0.0.0:1", "[::]:2", "10.0.0.1:3")
    ]
