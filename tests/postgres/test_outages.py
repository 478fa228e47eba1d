"""Whatever PostgreSQL does meanwhile, no record is lost, none is doubled, and nothing waits for ever."""

import signal
import subprocess
import sys
import time

import pytest

from services.ledger import postgres, postgres_mirror
from tests.postgres.chains import until
from tests.running import ROOT, environment

FEEDING = """
import sys, time
from pathlib import Path
from tests.postgres.chains import Book, Copying

book = Book(Path(sys.argv[1]))
Copying(book.path, sys.argv[2], timeout_s=5)
while True:
    book.write(5)
    time.sleep(0.005)
"""


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr(postgres, "MARGIN_S", 0.1)
    monkeypatch.setattr(postgres_mirror, "DRAIN_S", 0.5)


def test_waits_for_a_server_that_is_down_at_the_start(server, place, mirror, book):
    server.stop()
    book.write(3)
    started = mirror(book)
    until(lambda: started.last.error)
    book.write(2)
    server.start()

    until(lambda: 5 == started.last.seq)
    assert book.records == place.copy(book)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_server_that_ends_under_load_lacks_and_doubles_nothing(server, place, mirror, book, how):
    mirror(book)
    for nth in range(20):
        book.write(10)
        if nth == 10:
            server.restart(how)
        time.sleep(0.01)

    until(lambda: 200 == len(place.copy(book)))
    assert book.records == place.copy(book)


def test_a_gateway_that_is_killed_while_it_feeds_lacks_and_doubles_nothing(place, mirror, book):
    child = subprocess.Popen(
        [sys.executable, "-c", FEEDING, str(book.path), place.url()], env=environment(), cwd=ROOT
    )
    until(lambda: len(place.copy(book)) > 50)
    child.kill()
    child.wait(5)
    book.write()
    mirror(book)

    until(lambda: len(book.records) == len(place.copy(book)))
    assert book.records == place.copy(book)


def test_a_network_that_goes_silent_is_given_up_and_tried_again(proxy, place, mirror, book):
    started = mirror(book, place.url(host=proxy.address), timeout_s=0.3)
    book.write()
    until(lambda: 1 == started.last.seq)
    proxy.silent = True
    book.write()
    began_s = time.monotonic()
    until(lambda: started.last.error)
    noticed_s = time.monotonic() - began_s
    proxy.silent = False

    until(lambda: 2 == started.last.seq)
    assert book.records == place.copy(book)
    assert noticed_s < 2.0


def test_a_confirmation_that_is_lost_doubles_nothing(proxy, place, mirror, book):
    started = mirror(book, place.url(host=proxy.address), timeout_s=0.3)
    book.write()
    until(lambda: 1 == started.last.seq)
    proxy.mute = True
    book.write()
    until(lambda: 2 == len(place.copy(book)))
    until(lambda: started.last.error)
    proxy.mute = False

    until(lambda: 2 == started.last.seq)
    assert book.records == place.copy(book)


@pytest.mark.parametrize("is_at_work", [True, False], ids=["at work", "connecting"])
def test_stops_in_time_while_the_network_is_silent(proxy, place, mirror, book, is_at_work):
    proxy.silent = not is_at_work
    book.write()
    target = place.url(host=proxy.address)
    started = mirror(book, target, timeout_s=60.0 if is_at_work else 2.0)
    until(lambda: started.last.seq if is_at_work else proxy.open)
    proxy.silent = True
    book.write()
    time.sleep(0.1)
    began_s = time.monotonic()
    stopped = started.close()

    assert stopped
    assert time.monotonic() - began_s < 3.0


def test_feeds_what_is_left_when_it_stops(place, mirror, book):
    book.write()
    started = mirror(book)
    until(lambda: started.last.seq)
    book.write(40)
    started.close()

    assert book.records == place.copy(book)
    assert 41 == started.last.seq
