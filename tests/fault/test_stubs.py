"""The stub provider breaks what HTTP promises, as told, and tells what it saw."""

import http.client
import json
import socket
import time
import urllib.parse

import pytest

from tests.fault.stubs import Mode, dead_port, deaf_port, stub


@pytest.fixture(scope="module")
def provider():
    with stub({"slow": Mode(delay_s=0.2)}) as provider:
        yield provider


def call(provider, model, *, limit_s=0.5, **more):
    """Status, headers and body of one call."""
    place = urllib.parse.urlsplit(provider.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=limit_s)
    try:
        body = json.dumps({"model": model, **more})
        connection.request("POST", f"{place.path}/chat/completions", body)
        reply = connection.getresponse()
        return reply.status, dict(reply.headers), reply.read()
    finally:
        connection.close()


def test_it_answers_unless_told_otherwise(provider):
    status, _, body = call(provider, "four")

    assert (200, "4") == (status, json.loads(body)["choices"][0]["message"]["content"])


@pytest.mark.parametrize("model", ["hang", "silent", "drip", "drip-body"])
def test_it_keeps_its_caller_waiting_and_sees_him_leave(provider, model):
    provider.reset()
    with pytest.raises(TimeoutError):
        call(provider, model, limit_s=0.2)

    seen = provider.until(lambda seen: seen.left.get(model) == 1)
    assert (1, 0) == (seen.arrivals[model], seen.underway)


@pytest.mark.parametrize("model", ["reset", "reset-after-headers"])
def test_it_resets(provider, model):
    with pytest.raises(ConnectionResetError):
        call(provider, model)


def test_it_cuts_a_stream(provider):
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)) as caught:
        call(provider, "cut", stream=True)

    partial = getattr(caught.value, "partial", b"word39")
    assert b"word40" not in partial


def test_it_fails_with_the_status_and_headers_told(provider):
    assert 500 == call(provider, "http-500")[0]
    status, headers, _ = call(provider, "http-429-47")
    assert (429, "47") == (status, headers["Retry-After"])


def test_a_mode_can_change(provider):
    provider.set("changing", Mode(flaps=(2, 1)))

    assert [200, 200, 500, 200] == [call(provider, "changing")[0] for _ in range(4)]


def test_one_call_in_twenty_is_ten_times_slower():
    delays = [Mode(delay_s=0.1, slow_share=0.05).at_call(nth).delay_s for nth in range(100)]

    assert (95, 5) == (delays.count(0.1), delays.count(1.0))


def test_a_delay_is_waited_for(provider):
    began = time.monotonic()
    call(provider, "slow")

    assert time.monotonic() - began >= 0.2


def test_ports_refuse_or_say_nothing():
    with dead_port() as url, pytest.raises(ConnectionRefusedError):
        socket.create_connection(_address(url), timeout=0.5).close()
    with deaf_port() as url, pytest.raises(TimeoutError):
        socket.create_connection(_address(url), timeout=0.5).close()


def _address(url):
    place = urllib.parse.urlsplit(url)
    return place.hostname, place.port
