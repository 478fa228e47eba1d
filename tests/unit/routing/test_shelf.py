"""A shelf keeps trained routers by id; what is in use changes at once, and can be taken back."""

import fcntl
import json

import pytest

from services.routing.artefact import Embedding, RoutingError
from services.routing.fit import fit
from services.routing.shelf import Shelf, ShelfError
from tests.unit.routing.test_predict import DIM, planted

NOW = "2026-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def routings():
    rows = planted()
    return [fit(rows, Embedding("none", "words", DIM), created=f"2026-01-0{n}") for n in (1, 2)]


@pytest.fixture
def shelf(tmp_path, routings):
    found = Shelf(tmp_path / "routers")
    for routing in routings:
        found.put(routing, ["b" * 32, "a" * 32])
    return found


@pytest.fixture
def ids(routings):
    return [routing.id for routing in routings]


def test_gives_back_what_was_put_there(shelf, ids):
    assert ids[0] == shelf.read(ids[0]).id
    assert {"a" * 32, "b" * 32} == shelf.keys(ids[0])
    assert set(ids) == set(shelf.ids())


def test_nothing_is_in_use_until_one_is_put_in_use(shelf, ids):
    assert (None, None) == (shelf.current(), shelf.stamp)

    shelf.use(ids[0], now=NOW)

    assert ids[0] == shelf.current()


def test_rolls_back_step_by_step(shelf, ids):
    shelf.use(ids[0], now=NOW)
    shelf.use(ids[1], now=NOW)

    assert [ids[0], None] == [shelf.roll_back(), shelf.roll_back()]
    with pytest.raises(ShelfError, match="no router is in use"):
        shelf.roll_back()


def test_the_same_one_again_is_no_step(shelf, ids):
    shelf.use(ids[0], now=NOW)
    shelf.use(ids[0], now=NOW)

    assert shelf.roll_back() is None


def test_the_stamp_tells_of_every_change(shelf, ids):
    stamps = [shelf.stamp]
    for change in (lambda: shelf.use(ids[0], now=NOW), lambda: shelf.use(ids[1], now=NOW)):
        change()
        stamps.append(shelf.stamp)
    shelf.roll_back()

    assert 4 == len({*stamps, shelf.stamp})


def test_a_broken_one_is_not_put_in_use(shelf, ids):
    shelf.use(ids[0], now=NOW)
    shelf.path(ids[1]).write_text("{")

    with pytest.raises(RoutingError, match=f"{ids[1]}.json: cannot be read"):
        shelf.use(ids[1], now=NOW)
    assert ids[0] == shelf.current()


def test_one_under_anothers_name_is_refused(shelf, ids):
    shelf.path(ids[1]).write_bytes(shelf.path(ids[0]).read_bytes())

    with pytest.raises(RoutingError, match=f"holds router {ids[0]}"):
        shelf.read(ids[1])


def test_ids_may_be_cut_short(shelf, ids):
    assert ids[0] == shelf.find(ids[0][:7])
    with pytest.raises(ShelfError, match=f"no router 'zz'; there are: .*{ids[0]}"):
        shelf.find("zz")
    with pytest.raises(ShelfError, match="several routers"):
        shelf.find("")


def test_a_broken_pointer_is_named(shelf):
    (shelf.folder / "in_use.json").write_text(json.dumps([{"id": "x", "since": NOW}]))

    with pytest.raises(ShelfError, match=r"in_use.json: 0.id: "):
        shelf.current()


def test_two_commands_do_not_change_it_at_once(shelf, ids):
    with (shelf.folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ShelfError, match="another command changes it"):
            shelf.use(ids[0], now=NOW)
    shelf.use(ids[0], now=NOW)

    assert ids[0] == shelf.current()
