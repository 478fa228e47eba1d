"""A PostgreSQL server for all tests of a worker, and for each of them a schema and a ledger of its own."""

from contextlib import ExitStack
from itertools import count

import pytest

from services.ledger import postgres_mirror
from tests.postgres.chains import Book, Copying, Place
from tests.postgres.proxy import proxying
from tests.postgres.server import Server, serving

SCHEMAS = count(1)


@pytest.fixture(scope="session")
def server(require) -> Server:
    require("postgres")
    with serving() as started:
        yield started


@pytest.fixture
def place(server) -> Place:
    """Where this test has its tables."""
    found = Place(server, f"test_{next(SCHEMAS)}")
    found.execute(f"CREATE SCHEMA {found.schema}")
    return found


@pytest.fixture
def proxy(server):
    """Between a mirror and its server, by TCP."""
    with proxying(server.port) as between:
        yield between


@pytest.fixture
def book(tmp_path):
    made = Book(tmp_path / "ledger.sqlite")
    yield made
    made.close()


@pytest.fixture
def mirror(place, monkeypatch):
    """Copy a ledger until the test ends: `mirror(book)`."""
    monkeypatch.setattr(postgres_mirror, "POLL_S", 0.02)
    monkeypatch.setattr(postgres_mirror, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(postgres_mirror, "LONGEST_PAUSE_S", 0.2)
    with ExitStack() as running:

        def start(book: Book, target: str = "", *, timeout_s: float = 5.0) -> Copying:
            started = Copying(book.path, target or place.url(), timeout_s=timeout_s)
            running.callback(started.close)
            return started

        yield start
