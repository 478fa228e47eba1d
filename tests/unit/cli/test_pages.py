"""The console is served where it was asked for; only the usual place gives way."""

import socket

import pytest

from services.cli import pages
from services.cli.errors import MeshError


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_an_option_goes_before_the_environment(taken):
    found = pages.address("127.0.0.1:0", {pages.VARIABLE: taken})

    assert found.startswith("127.0.0.1:")
    assert taken != found


@pytest.mark.parametrize(("wanted", "env"), [("none", {}), (None, {pages.VARIABLE: ""})])
def test_there_may_be_none(wanted, env):
    assert ("", "") == (pages.address(wanted, env), pages.told(""))


def test_the_usual_port_gives_way_to_a_free_one(taken, monkeypatch):
    monkeypatch.setattr(pages, "USUAL", taken)

    found = pages.address(None, {})

    assert found.startswith("127.0.0.1:")
    assert taken != found


def test_an_address_that_was_chosen_is_not_replaced(taken):
    with pytest.raises(MeshError, match=f"no console can be served on {taken}: .*--console"):
        pages.address(taken, {})


def test_what_is_no_address_is_named():
    with pytest.raises(MeshError, match="must be host:port"):
        pages.address("console", {})


def test_people_are_told_where_it_is_if_it_is_there(taken):
    assert f"console at http://{taken}/" == pages.told(taken)
    assert "no console: the gateway does not listen on 127.0.0.1:1" in pages.told("127.0.0.1:1")
