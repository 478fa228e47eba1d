"""Foreign names and forms are refused, and a key is not guessed."""

import pytest
from starlette.requests import Request

from services.gateway.console.guard import WRONG_KEYS, Guard, Lock, is_own

KEY = "sixteen letters!"


def named(host, *names):
    return Guard(lambda *_: None, names=names).knows(host)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:50080", "127.0.0.1:50080", "[::1]:50080", "10.0.0.7", "LOCALHOST:1"],
)
def test_addresses_and_localhost_are_known(host):
    assert named(host)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            "evil.example",
            "evil.example:50080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
        ),
        *("user@127.0.0.1", "127.0.0.1/x", "127.0.0.1:50080:1", "evil.example#127.0.0.1", "[::1"),
    ],
)
def test_every_other_name_is_refused(host):
    assert not named(host)


def test_a_name_can_be_told_to_be_known():
    assert named("console.example:443", " Console.Example ")


def form(**headers):
    scope = {
        "type": "http",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    return Request(scope)


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"host": "127.0.0.1:1"}, True),
        ({"host": "127.0.0.1:1", "origin": "http://127.0.0.1:1"}, True),
        ({"host": "127.0.0.1:1", "origin": "https://127.0.0.1:1"}, True),
        ({"host": "127.0.0.1:1", "origin": "http://127.0.0.1:2"}, False),
        ({"host": "127.0.0.1:1", "origin": "http://evil.example"}, False),
        ({"host": "127.0.0.1:1", "origin": "null"}, False),
        ({"host": "127.0.0.1:1", "sec_fetch_site": "cross-site"}, False),
        ({"host": "127.0.0.1:1", "sec_fetch_site": "same-site"}, False),
        (
            {
                "host": "127.0.0.1:1",
                "sec_fetch_site": "same-origin",
                "origin": "http://evil.example",
            },
            False,
        ),
    ],
)
def test_a_form_is_taken_from_its_own_page_only(headers, own):
    assert own == is_own(form(**headers))


def test_the_key_opens_and_nothing_else_does():
    lock = Lock(KEY)

    assert [True, False, False] == [lock.opens(KEY), lock.opens(KEY[:-1]), lock.opens("")]


def test_without_a_key_nothing_opens():
    lock = Lock(None)

    assert (False, False) == (lock.exists, lock.opens(""))


def test_too_many_wrong_keys_jam_the_lock_for_a_minute():
    now = [0.0]
    lock = Lock(KEY, clock=lambda: now[0])
    for _ in range(WRONG_KEYS):
        assert not lock.opens("a wrong key")

    assert (True, False) == (lock.jammed, lock.opens(KEY))
    now[0] = 61.0
    assert (False, True) == (lock.jammed, lock.opens(KEY))
